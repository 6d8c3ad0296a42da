package linkcheck

import (
	"context"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

func TestCheckFile(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/guide/") {
			http.NotFound(w, r)
		}
	}))
	defer site.Close()

	got, err := New(site.URL).CheckFile(context.Background(), "testdata/index.html")
	if err != nil {
		t.Fatal(err)
	}
	want := Report{Page: "testdata/index.html", Links: 3, Broken: []string{site.URL + "/guide/start.html"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("CheckFile = %+v, want %+v", got, want)
	}
}

func TestCheckFileErrors(t *testing.T) {
	site := httptest.NewServer(nil)
	site.Close()
	for _, page := range []string{"testdata/index.html", "testdata/missing.html"} {
		if _, err := New(site.URL).CheckFile(context.Background(), page); err == nil {
			t.Errorf("CheckFile(%s) reports no error", page)
		}
	}
}
