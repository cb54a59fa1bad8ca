package wechat

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// What encoding/json makes of the same bytes, without a struct, says what each member is.
func FuzzParseObject(f *testing.F) {
	for _, body := range []string{
		``, ` `, `{}`, `[]`, `{`, `a=b`, "\ufeff {\"a\":1}", `{"a":"x","b":5,"c":1.5,"d":null,"e":true,"f":[1,{}],"g":{"h":""}}`, `{"a":1,"a":"2"}`,
		`{"media_id":61224425}`, `{"offset":"20","count":2e1,"x":20.0}`, `{"n":9223372036854775807,"m":9223372036854775808,"k":-9223372036854775808}`,
		`{"n":"+5","m":"-0","k":" 5","l":"5 ","o":"0x1","p":"1e400","q":1e-400}`, `{"s":"\ud800","t":"\u0000","u":"\ud83d\ude00"}`, "{\"a\":\"\xff\"}",
		`{"show_cover_pic":"1","x":"","y":2,"title":"t","content":"<p>"}`, `{"A":1,"a":2}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := ParseObject(slices.Clone(body))
		text := bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\ufeff")), " \t\r\n")
		var all any
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		valid := json.Valid(text) && utf8.Valid(text)
		want, _ := all.(map[string]any)
		if valid {
			if err := dec.Decode(&all); err != nil {
				t.Fatal(err)
			}
			want, valid = all.(map[string]any)
		}
		switch {
		case len(text) == 0 && err != ErrEmptyPost, len(text) > 0 && text[0] != '{' && text[0] != '[' && (err != nil || o != nil),
			len(text) > 0 && (text[0] == '{' || text[0] == '[') && (err == nil) != valid, err != nil && err != ErrEmptyPost && err != ErrDataFormat:
			t.Fatalf("%q: %v, %v", body, o, err)
		case err != nil || o == nil:
			return
		case !slices.Equal(slices.Sorted(maps.Keys(o)), slices.Sorted(maps.Keys(want))):
			t.Fatalf("%q has the members %v, want %v", body, o, want)
		}
		for name, is := range want {
			checkMember(t, o, name, is)
		}
		if a, err := ParseArticle(text); err == nil {
			if s, _ := want["title"].(string); s != a.Title {
				t.Fatalf("title %q, want %q", a.Title, s)
			}
			again, err := ParseArticle(marshalled(t, a))
			if err != nil || again != a {
				t.Fatalf("%+v comes back as %+v, %v", a, again, err)
			}
		} else if err != ErrDataFormat && err != ErrInvalidArgs {
			t.Fatal(err)
		}
	})
}

func marshalled(t *testing.T, v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// checkMember holds what each reader says of a member against what the member is.
func checkMember(t *testing.T, o Object, name string, is any) {
	text, isText := is.(string)
	number, isNumber := is.(json.Number)
	if o.Has(name) != (is != nil) {
		t.Fatalf("Has %q of %v", name, is)
	}
	got, err := o.Text(name)
	if got != text || (err == nil) != (isText || is == nil) {
		t.Fatalf("Text of %v is %q, %v", is, got, err)
	}
	digits := isNumber && strings.Trim(string(number), "0123456789") == ""
	if digits {
		text = string(number)
	}
	if got, err = o.ID(name); got != text || (err == nil) != (isText || is == nil || digits) {
		t.Fatalf("ID of %v is %q, %v", is, got, err)
	}
	list, isList := is.([]any)
	if raw, err := o.List(name); len(raw) != len(list) || (err == nil) != (isList || is == nil) {
		t.Fatalf("List of %v is %q, %v", is, raw, err)
	}
	n, ok, err := o.Int(name)
	if is == nil || !isNumber && !isText || digits && len(text) > 400 {
		if ok || (err == nil) != (is == nil) {
			t.Fatalf("Int of %v is %d, %v, %v", is, n, ok, err)
		}
		return
	}
	if isNumber {
		text = string(number)
	}
	exact, isExact := exactly(text)
	switch {
	case ok != (err == nil), err != nil && !errors.Is(err, ErrDataFormat) && !errors.Is(err, ErrInvalidArgs):
		t.Fatalf("Int of %q is %d, %v, %v", text, n, ok, err)
	case !isExact:
		// nothing is promised
	case ok != (exact.IsInt() && exact.Num().IsInt64()), ok && exact.Num().Int64() != n:
		t.Fatalf("Int of %q is %d, %v, exactly %v", text, n, ok, exact)
	}
}

// exactly gives a number in JSON's form, also with a sign or zeros in front; ok is false
// for what is none, and for what is out of all proportion.
func exactly(text string) (n *big.Rat, ok bool) {
	digits := strings.TrimLeft(text, "+-")
	if len(text)-len(digits) > 1 || len(text) > 40 || strings.ContainsAny(text, "_/xXoObBpP") {
		return nil, false
	}
	if strings.Trim(digits, "0123456789") != "" && !json.Valid([]byte(text)) {
		return nil, false
	}
	if _, e, found := strings.Cut(strings.ToLower(text), "e"); found && len(strings.TrimLeft(e, "+-0")) > 2 {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}
