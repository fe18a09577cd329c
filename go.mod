module github.com/helixvanguard/vanguard

go 1.26
