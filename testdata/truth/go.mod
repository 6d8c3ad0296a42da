module example.com/truth

go 1.26.0
