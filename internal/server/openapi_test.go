package server

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sucai/wechat"
)

var update = flag.Bool("update", false, "copy openapi.json to docs")

// description is what these tests look at of openapi.json.
type description struct {
	Paths map[string]map[string]struct {
		OperationID string
		Responses   map[string]struct {
			Content map[string]struct {
				Schema struct {
					OneOf []struct {
						Ref        string `json:"$ref"`
						Properties struct{ Errcode errcodes }
					}
				}
			}
		}
	}
	Components struct {
		Schemas struct {
			Error struct {
				Properties struct{ Errcode errcodes }
				Table      []errorRow `json:"x-errcodes"`
			}
		}
	}
}

type errcodes struct{ Enum []int }

type errorRow struct {
	Errcode                 int
	Errmsg, Meaning, Remedy string
}

func readDescription(t *testing.T) (d description) {
	t.Helper()
	must(t, json.Unmarshal(openAPI, &d))
	return d
}

// errorsOf gives the errcodes that an operation may answer.
func (d *description) errorsOf(path, method string) []int {
	for _, one := range d.Paths[path][method].Responses["200"].Content["application/json"].Schema.OneOf {
		if one.Ref == "#/components/schemas/Error" {
			return one.Properties.Errcode.Enum
		}
	}
	return nil
}

func TestOpenAPIIsServedAndCopied(t *testing.T) {
	const copied = "../../docs/openapi.json"
	if *update {
		must(t, os.WriteFile(copied, openAPI, 0o644))
	}
	if data, err := os.ReadFile(copied); err != nil || !bytes.Equal(data, openAPI) {
		t.Errorf("docs/openapi.json is no copy: go test ./internal/server -run OpenAPI -update (%v)", err)
	}

	f := newFixture(t)
	for _, c := range []struct {
		method string
		status int
		body   []byte
	}{{"GET", 200, openAPI}, {"HEAD", 200, nil}, {"POST", 405, []byte("only GET and HEAD here\n")}} {
		res, data := f.do(c.method, "/_sucai/openapi.json", "", nil)
		if res.StatusCode != c.status || !bytes.Equal(data, c.body) {
			t.Errorf("%s: %s, %d bytes", c.method, res.Status, len(data))
		}
		if kind := res.Header.Get("Content-Type"); c.status == 200 && (kind != "application/json" || res.ContentLength != int64(len(openAPI))) {
			t.Errorf("%s: %s, Content-Length %d", c.method, kind, res.ContentLength)
		}
	}
}

// The description has the endpoints of the route table and no others, each with the
// errcodes that the way to any endpoint of its kind may end in.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	d := readDescription(t)
	var got, want []string
	for path, operations := range d.Paths {
		for method, op := range operations {
			got = append(got, strings.ToUpper(method)+" "+path)
			if op.OperationID == "" {
				t.Errorf("%s %s has no operationId", method, path)
			}
		}
	}
	for path, rt := range routes {
		expected := []*wechat.Error{wechat.ErrSystem, wechat.ErrRequireHTTPS}
		if strings.HasPrefix(path, "/cgi-bin/component/") {
			expected = append(expected, wechat.ErrClientIP)
		} else {
			expected = append(expected, wechat.ErrIPNotAllowed, wechat.ErrQuota)
		}
		switch rt.caller {
		case account:
			expected = append(expected, wechat.ErrTokenMissing, wechat.ErrInvalidCredential, wechat.ErrTokenExpired,
				wechat.ErrUserLimited, wechat.ErrUnauthorized, wechat.ErrClientIP, wechat.ErrSetMissing)
		case component:
			expected = append(expected, wechat.ErrTokenMissing, wechat.ErrInvalidCredential, wechat.ErrTokenExpired,
				wechat.ErrComponentToken, wechat.ErrInvalidComponent)
		}
		switch rt.methods {
		case "GET":
			expected = append(expected, wechat.ErrRequireGET)
		case "POST":
			expected = append(expected, wechat.ErrRequirePOST, wechat.ErrEmptyPost, wechat.ErrDataFormat)
		default:
			expected = append(expected, wechat.ErrRequirePOST)
		}
		for _, method := range strings.Fields(rt.methods) {
			want = append(want, method+" "+path)
			listed := d.errorsOf(path, strings.ToLower(method))
			for _, e := range expected {
				if !slices.Contains(listed, e.Code) {
					t.Errorf("%s %s does not list %d", method, path, e.Code)
				}
			}
		}
	}
	wantSame(t, "operations", got, want)
}

// The table of errcodes has what package wechat declares, and all of it can be answered
// by some operation but for what belongs to none.
func TestOpenAPIHasEveryErrcode(t *testing.T) {
	e := readDescription(t).Components.Schemas.Error
	var got, codes []string
	for _, row := range e.Table {
		got = append(got, fmt.Sprint(row.Errcode, " ", row.Errmsg))
		codes = append(codes, strconv.Itoa(row.Errcode))
		if row.Meaning == "" || row.Remedy == "" {
			t.Errorf("%d: no meaning or no remedy", row.Errcode)
		}
	}
	wantSame(t, "x-errcodes", got, declaredErrors(t))
	wantSame(t, "errcodes of Error", texts(e.Properties.Errcode.Enum), codes)

	d := readDescription(t)
	answered := map[int]bool{wechat.ErrUnknownURL.Code: true, wechat.ErrInvalidToken.Code: true}
	for path, operations := range d.Paths {
		for method := range operations {
			for _, code := range d.errorsOf(path, method) {
				answered[code] = true
			}
		}
	}
	wantSame(t, "errcodes of all operations", texts(slices.Collect(maps.Keys(answered))), codes)
}

var errorDeclaration = regexp.MustCompile(`(?m)^(?:var|\t)\s*Err\w+\s*=\s*(?:&Error\{(-?\d+), ("(?:[^"\\]|\\.)*")\})?`)

// declaredErrors reads the errors in the source of package wechat: a program cannot list
// the variables of a package.
func declaredErrors(t *testing.T) (list []string) {
	t.Helper()
	files, err := filepath.Glob("../../wechat/*.go")
	must(t, err)
	for _, name := range files {
		source, err := os.ReadFile(name)
		must(t, err)
		for _, found := range errorDeclaration.FindAllStringSubmatch(string(source), -1) {
			text, err := strconv.Unquote(found[2])
			if err != nil {
				t.Errorf("%s is not of the form &Error{code, text}", found[0])
			}
			list = append(list, found[1]+" "+text)
		}
	}
	return list
}

func texts(numbers []int) (list []string) {
	for _, n := range numbers {
		list = append(list, strconv.Itoa(n))
	}
	return list
}

func wantSame(t *testing.T, what string, got, want []string) {
	t.Helper()
	for _, g := range got {
		if !slices.Contains(want, g) {
			t.Errorf("%s: %q is too much", what, g)
		}
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("%s: %q is missing", what, w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d, and not %d", what, len(got), len(want))
	}
}
