package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// all fails the test unless each operation was seen to succeed.
func (d *description) all(t *testing.T) {
	t.Helper()
	for _, id := range slices.Sorted(maps.Keys(d.seen)) {
		t.Logf("%-22s %v", id, d.seen[id])
		if id != noEndpoint && d.seen[id].answers+d.seen[id].files == 0 {
			t.Errorf("no case sees %s succeed", id)
		}
	}
}

// A description that lets everything through would prove nothing.
func TestOpenAPIIsStrict(t *testing.T) {
	d := readDescription(t)
	ask := func(path, reqBody, body string) error {
		req, err := http.NewRequest(http.MethodPost, path+"?access_token=x", strings.NewReader(reqBody))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "multipart/form-data; boundary=b")
		res := &http.Response{StatusCode: http.StatusOK, Header: http.Header{
			"Content-Type": {"application/json; encoding=utf-8"}, "X-Rid": {"60dee549-5a2d6284-2af53adb"},
		}}
		return d.exchange(req, []byte(reqBody), res, []byte(body))
	}
	const get, list, add = "/cgi-bin/material/get_material", "/cgi-bin/material/batchget_material", "/cgi-bin/material/add_material"
	const id, page = `{"media_id":"x"}`, `{"type":"image","offset":0,"count":20}`
	form := func(fields ...string) string {
		var out strings.Builder
		for i := 0; i < len(fields); i += 2 {
			fmt.Fprintf(&out, "--b\r\nContent-Disposition: form-data; name=%s; filename=a\r\n\r\n%s\r\n", fields[i], fields[i+1])
		}
		return out.String() + "--b--\r\n"
	}
	for _, good := range [][3]string{
		{get, id, `{"title":"t","description":"","down_url":"http://h/v"}`},
		{get, id, `{"news_item":[],"create_time":1,"update_time":1}`},
		{get, `{}`, `{"errcode":40007,"errmsg":"invalid media_id"}`},
		{list, page, `{"item":[{"media_id":"x","name":"n","update_time":1,"tags":[]}],"total_count":1,"item_count":1}`},
		{add, form("media", "x", "description", `{"title":"t"}`), `{"media_id":"x"}`},
		{"/nowhere", "", `{"errcode":40066,"errmsg":"invalid url"}`},
	} {
		if err := ask(good[0], good[1], good[2]); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range [][3]string{
		{get, `{}`, `{"title":"t","description":"","down_url":"http://h/v"}`},
		{get, id, `{"title":1,"description":"","down_url":"http://h/v"}`},
		{get, id, `{"title":"t","description":"","down_url":"no address"}`},
		{get, id, `{"title":"t","down_url":"http://h/v"}`},
		{get, id, `{"title":"t","description":"","down_url":"http://h/v","more":1}`},
		{get, id, `{"news_item":[{}],"create_time":1,"update_time":1}`},
		{get, id, `{"news_item":[],"create_time":"1","update_time":1}`},
		{get, id, `{"errcode":0,"errmsg":"ok"}`},
		{get, id, `{"errcode":40004,"errmsg":"not one of this operation"}`},
		{get, id, `{"errcode":40007}`},
		{get, id, `{"errcode":40007,"errmsg":"x"}x`},
		{list, page, `{"item":[{"media_id":"x","name":"n","update_time":1}],"total_count":1,"item_count":1}`},
		{list, page, `{"item":[{"media_id":"x","name":"n","update_time":1,"tags":[1]}],"total_count":1,"item_count":1}`},
		{list, page, `{"item":null,"total_count":0,"item_count":0}`},
		{list, `{"type":"thumb","offset":0,"count":20}`, `{"item":[],"total_count":0,"item_count":0}`},
		{list, `{"type":"image","offset":0,"count":21}`, `{"item":[],"total_count":0,"item_count":0}`},
		{add, form("media", "x", "description", `{"title":1}`), `{"media_id":"x"}`},
		{add, form("file", "x"), `{"media_id":"x"}`},
		{add, form("media", "x"), `{"media_id":"x","item":[],"created_at":1}`},
		{"/nowhere", "", `{"media_id":"x"}`},
	} {
		if ask(bad[0], bad[1], bad[2]) == nil {
			t.Errorf("let through: %s", bad)
		}
	}
}

// noEndpoint stands for the paths that the description does not have.
const noEndpoint = "(no endpoint)"

// description is docs/openapi.json, and what was compared with it.
type description struct {
	doc     *openapi3.T
	schemas *jsonschema.Compiler
	seen    map[string]*seen // by operationId
}

// seen counts what was compared of one operation.
type seen struct {
	answers, files, heads, requests int
	errors                          map[string]int // by errcode; those of the description are all here
}

func (n *seen) String() string {
	refused, never := 0, []string{}
	for _, code := range slices.Sorted(maps.Keys(n.errors)) {
		if refused += n.errors[code]; n.errors[code] == 0 {
			never = append(never, code)
		}
	}
	return fmt.Sprintf("%3d answers in JSON, %3d of bytes, %3d errors, %d without a body, %3d requests; never seen: %v",
		n.answers, n.files, refused, n.heads, n.requests, never)
}

func readDescription(t *testing.T) *description {
	t.Helper()
	data, err := os.ReadFile("../docs/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	d := &description{schemas: jsonschema.NewCompiler(), seen: map[string]*seen{noEndpoint: {errors: map[string]int{}}}}
	if d.doc, err = openapi3.NewLoader().LoadFromData(data); err != nil {
		t.Fatal(err)
	}
	if err := d.doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	raw, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	d.schemas.AssertFormat()
	d.schemas.AssertContent()
	if err := d.schemas.AddResource("openapi.json", raw); err != nil {
		t.Fatal(err)
	}
	for path, item := range d.doc.Paths.Map() {
		for method, op := range item.Operations() {
			d.seen[op.OperationID] = &seen{errors: map[string]int{}}
			for _, code := range listed(t, raw, "paths", path, strings.ToLower(method)) {
				d.seen[op.OperationID].errors[code] = 0
			}
		}
	}
	return d
}

// exchange compares a request and its answer with the description.
func (d *description) exchange(req *http.Request, reqBody []byte, res *http.Response, body []byte) error {
	path := req.URL.Path
	if path == "/admin" || req.Host == containerHost {
		return nil // calls without a token, which the description does not have
	}
	if path == "/" || path == "/s" || strings.HasPrefix(path, "/mmbiz") || strings.HasPrefix(path, "/video/") || strings.HasPrefix(path, "/_sucai/") {
		return nil // not of the API
	}
	if res.StatusCode != http.StatusOK {
		return errors.New(res.Status)
	}
	if err := d.valid(res.Header.Get("X-Rid"), "components", "headers", "X-Rid", "schema"); err != nil {
		return err
	}
	place, op := d.operation(req)
	if op == nil {
		d.seen[noEndpoint].errors[errcode(body)]++
		return d.validJSON(body, "components", "schemas", "Error")
	}
	n := d.seen[op.OperationID]
	kind, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
	if op.Responses.Status(http.StatusOK).Value.Content.Get(kind) == nil {
		return fmt.Errorf("answers of %s are not declared", kind)
	}
	code := errcode(body)
	refused := code != "" && code != "0"
	switch {
	case req.Method == http.MethodHead && len(body) == 0:
		n.heads++
		return nil
	case kind != "application/json" && refused:
		return fmt.Errorf("an error that says it is %s", kind)
	case kind != "application/json":
		n.files++
	case refused:
		n.errors[code]++
	default:
		n.answers++
	}
	if kind == "application/json" {
		if err := d.validJSON(body, append(place, "responses", "200", "content", kind, "schema")...); err != nil {
			return err
		}
	}
	if refused {
		return nil
	}
	n.requests++
	return d.request(place, op, req, reqBody)
}

// errcode is that of an answer, as text; "" where it has none.
func errcode(body []byte) string {
	var e struct{ Errcode json.Number }
	_ = json.Unmarshal(body, &e) // what is no JSON has none
	return e.Errcode.String()
}

// listed gives the errcodes that the operation at a place of the document may answer.
func listed(t *testing.T, raw interface{}, place ...string) (codes []string) {
	for _, name := range append(place, "responses", "200", "content", "application/json", "schema", "oneOf") {
		raw = raw.(map[string]interface{})[name]
	}
	for _, one := range raw.([]interface{}) {
		if properties, ok := one.(map[string]interface{})["properties"].(map[string]interface{}); ok {
			for _, code := range properties["errcode"].(map[string]interface{})["enum"].([]interface{}) {
				codes = append(codes, fmt.Sprint(code))
			}
		}
	}
	if codes == nil {
		t.Errorf("%s lists no errcodes", place)
	}
	return codes
}

// operation finds the operation of a request, and where it stands in the document; of a
// wrong method, which is answered like the right one, that of the path.
func (d *description) operation(req *http.Request) (place []string, op *openapi3.Operation) {
	item := d.doc.Paths.Value(req.URL.Path)
	if item == nil {
		return nil, nil
	}
	operations := item.Operations()
	method := req.Method
	if operations[method] == nil {
		method = slices.Sorted(maps.Keys(operations))[0]
	}
	return []string{"paths", req.URL.Path, strings.ToLower(method)}, operations[method]
}

// request compares a request that was not refused.
func (d *description) request(place []string, op *openapi3.Operation, req *http.Request, body []byte) error {
	query := req.URL.Query()
	if op.Security == nil && query.Get("access_token") == "" {
		return errors.New("it was not refused without a token")
	}
	for i, p := range op.Parameters {
		if !query.Has(p.Value.Name) {
			if p.Value.Required {
				return fmt.Errorf("it was not refused without %s", p.Value.Name)
			}
			continue
		}
		if err := d.valid(query.Get(p.Value.Name), append(place, "parameters", fmt.Sprint(i), "schema")...); err != nil {
			return fmt.Errorf("parameter %s: %w", p.Value.Name, err)
		}
	}
	switch {
	case op.RequestBody == nil:
		return nil
	case len(body) == 0:
		if op.RequestBody.Value.Required {
			return errors.New("it was not refused without a body")
		}
		return nil
	}
	schema := func(kind string) []string { return append(place, "requestBody", "content", kind, "schema") }
	if op.RequestBody.Value.Content["multipart/form-data"] == nil {
		return d.validJSON(bytes.TrimPrefix(body, []byte("\ufeff")), schema("*/*")...)
	}
	fields, err := formFields(req.Header.Get("Content-Type"), body)
	if err != nil {
		return fmt.Errorf("form: %w", err)
	}
	return d.valid(fields, schema("multipart/form-data")...)
}

// formFields reads a multipart body as an object of its parts.
func formFields(contentType string, body []byte) (map[string]interface{}, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, err
	}
	fields := map[string]interface{}{}
	if params["boundary"] == "" { // the body's first line has it
		line, _, _ := strings.Cut(string(body), "\r\n")
		params["boundary"] = strings.TrimPrefix(line, "--")
	}
	for parts := multipart.NewReader(bytes.NewReader(body), params["boundary"]); ; {
		p, err := parts.NextPart()
		if err == io.EOF {
			return fields, nil
		}
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(p)
		if err != nil {
			return nil, err
		}
		fields[p.FormName()] = string(data)
	}
}

func (d *description) validJSON(data []byte, place ...string) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return d.valid(value, place...)
}

// valid compares a value with the schema at a place of the document. The compiler
// remembers the schemas.
func (d *description) valid(value interface{}, place ...string) error {
	pointer := "openapi.json#"
	for _, name := range place {
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
	}
	schema, err := d.schemas.Compile(pointer)
	if err != nil {
		return err
	}
	return schema.Validate(value)
}
