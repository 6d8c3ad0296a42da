package starter

import "go/ast"

// describe says whether a function can be an op: exported, not generic,
// func([context.Context] [, input]) [result] [, error] with an input that the
// op's number or a line of text can be. A function that takes nothing and
// returns nothing is left out: it is rarely one.
func describe(d *ast.FuncDecl) (Func, bool) {
	t := d.Type
	if !d.Name.IsExported() || t.TypeParams != nil || d.Body == nil {
		return Func{}, false
	}
	f := Func{Name: d.Name.Name}
	params := types(t.Params)
	if len(params) > 0 && isContext(params[0]) {
		f.Context = true
		params = params[1:]
	}
	switch {
	case len(params) > 1:
		return Func{}, false
	case len(params) == 1:
		in, ok := input(params[0])
		if !ok {
			return Func{}, false
		}
		f.Input = in
	}
	results := types(t.Results)
	if n := len(results); n > 0 && isIdent(results[n-1], "error") {
		f.Fails = true
		results = results[:n-1]
	}
	if len(results) > 1 {
		return Func{}, false
	}
	return f, len(results) == 1 || f.Fails || f.Context
}

// types returns the type of each parameter: "a, b int" is two.
func types(fields *ast.FieldList) []ast.Expr {
	if fields == nil {
		return nil
	}
	var list []ast.Expr
	for _, field := range fields.List {
		for range max(len(field.Names), 1) {
			list = append(list, field.Type)
		}
	}
	return list
}

func input(e ast.Expr) (Input, bool) {
	switch t := e.(type) {
	case *ast.Ident:
		switch t.Name {
		case "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64":
			return Number, true
		case "string":
			return Text, true
		}
	case *ast.ArrayType:
		if t.Len == nil && isIdent(t.Elt, "byte") {
			return Text, true
		}
	}
	return NoInput, false
}

func isContext(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && s.Sel.Name == "Context" && isIdent(s.X, "context")
}

func isIdent(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}
