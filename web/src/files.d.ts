// The examples are bundled as text.
declare module "*.log" { const text: string; export default text; }
declare module "*.json" { const text: string; export default text; }
declare module "*/gen/wasm_exec.js";
