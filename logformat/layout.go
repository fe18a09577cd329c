package logformat

type layout struct{}
