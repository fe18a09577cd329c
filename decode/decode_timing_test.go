package decode

import (
	"strings"
	"testing"
)

var speeds = []struct{ name, in string }{
	{"path", "/shop/category/shoes/running/summer-2026/product-4711.html"},
	{"query", "q=running+shoes&page=2&sort=price_asc&color=blue&size=42"},
	{"plain_query", "page=2&sort=price_asc&color=blue&size=42&utm_source=news"},
	{"user_agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"},
	{"referer", "https://www.example.com/shop/category/shoes?page=2"},
	{"percent_path", "/files/My%20Documents/Annual%20Report%202026%20(final).pdf"},
	{"utf8_path", "/wiki/Caf%C3%A9_Z%C3%BCrich/%D0%9C%D0%B8%D1%80"},
	{"attack", "id=-1%2527%2520UNION%252f%252a%252a%252fSELECT%25201,2,concat(user,0x3a,pass)--%2520-&x=%3Cscript%3Ealert(1)%3C/script%3E"},
	{"base64", "cmd=PHNjcmlwdD5hbGVydChkb2N1bWVudC5jb29raWUpPC9zY3JpcHQ%2B"},
	{"long_text", strings.Repeat("The quick brown fox jumps over the lazy dog, said the engine. ", 100)},
}

// BenchmarkNeeded is what every field of every line costs.
func BenchmarkNeeded(b *testing.B) {
	for _, s := range speeds {
		in := []byte(s.in)
		b.Run(s.name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				Needed(in)
			}
		})
	}
}

// BenchmarkCanonical is what a field costs that carries any encoding.
func BenchmarkCanonical(b *testing.B) {
	dst := make([]byte, 0, 1<<16)
	for _, s := range speeds {
		in := []byte(s.in)
		b.Run(s.name, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				Canonical(dst, in)
			}
		})
	}
}
