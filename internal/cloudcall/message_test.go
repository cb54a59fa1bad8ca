package cloudcall

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
)

// The messages that wx-server-sdk sends, byte for byte.
func TestArguments(t *testing.T) {
	for _, c := range []struct{ hex, appID, args string }{
		{"0800" + "1214" + "0a12" + "0a08" + hex.EncodeToString([]byte("media_id")) + "1206" + hex.EncodeToString([]byte(`"NEWS"`)), "", `{"media_id":"NEWS"}`},
		{"08001200", "", `{}`},
		{"08001200" + "3204" + hex.EncodeToString([]byte("wxOA")), "wxOA", `{}`},
		{"", "", `{}`},
		{"1200" + "fa0703666f6f" + "a00601", "", `{}`}, // fields that nobody knows
	} {
		data, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(err)
		}
		m, err := parseCommAPIData(data)
		if err != nil || m.appID != c.appID || string(m.arguments()) != c.args {
			t.Errorf("%s: %v, %q, %s", c.hex, err, m.appID, m.arguments())
		}
	}
}

func TestBrokenMessages(t *testing.T) {
	pair := func(key, value string) []byte {
		p := protowire.AppendString([]byte{0x0a}, key)
		return protowire.AppendBytes([]byte{0x0a}, protowire.AppendString(append(p, 0x12), value))
	}
	message := func(pairs ...[]byte) []byte { return protowire.AppendBytes([]byte{0x12}, bytes.Join(pairs, nil)) }
	for name, data := range map[string][]byte{
		"cut off":        message(pair("media_id", `"NEWS"`))[:10],
		"not a message":  []byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
		"SVRKIT":         {8, 2},
		"groups":         bytes.Repeat([]byte{0x0b}, maxBody),
		"many arguments": message(bytes.Repeat([]byte{0x0a, 0}, maxBody/2)),
		"length too far": {0x12, 0xff, 0xff, 0xff, 0xff, 0x07},
	} {
		if m, err := parseCommAPIData(data); err == nil {
			t.Errorf("%s: taken as %+v", name, m)
		}
	}
	for name, data := range map[string][]byte{
		"no JSON":       message(pair("media_id", `NEWS`)),
		"no value":      message(pair("media_id", "")),
		"two values":    message(pair("media_id", `"a","b":"c"`)),
		"ends early":    message(pair("media_id", `"a"}`)),
		"a file":        message(filePair()),
		"after another": message(pair("a", `1`), pair("b", `[`)),
	} {
		m, err := parseCommAPIData(data)
		if err != nil || string(m.arguments()) != "{" {
			t.Errorf("%s: %v, %s; want a body that cannot be read", name, err, m.arguments())
		}
	}
	odd, err := parseCommAPIData(message(pair(`a":1,"b`, `{"x":[null]}`)))
	if err != nil || string(odd.arguments()) != `{"a\":1,\"b":{"x":[null]}}` {
		t.Errorf("a key with a quote: %v %s", err, odd.arguments())
	}
}

// filePair is an upload's argument: raw bytes with a file's name.
func filePair() []byte {
	p := protowire.AppendString([]byte{0x0a}, "media")
	p = protowire.AppendString(append(p, 0x12), "1")
	return protowire.AppendBytes([]byte{0x0a}, protowire.AppendString(append(p, 0x22), "a.png"))
}

// The answers that wx-server-sdk takes, byte for byte.
func TestAnswers(t *testing.T) {
	data := []byte("\x89PNG12345678")
	got := append(append(respHead(int64(len(data))), data...), respTail("image/png")...)
	want := "0a0c" + hex.EncodeToString(data) + "1209" + hex.EncodeToString([]byte("image/png")) + "20c801"
	if hex.EncodeToString(got) != want {
		t.Errorf("image: %x, want %s", got, want)
	}
	if got := hex.EncodeToString(appendErrorCode(nil, noLicence)); got != "18bb90dbffffffffffff01" {
		t.Errorf("error: %s", got)
	}
}

// What may be as large as a body, and is read before anybody is known, makes nothing
// much larger of it.
func TestBombs(t *testing.T) {
	many := strings.Repeat("--b\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n", maxBody/50) + "--b--\r\n"
	headers := "--b\r\n" + strings.Repeat("a:b\r\n", maxBody/6) + "\r\n\r\n--b--\r\n"
	nested := strings.Repeat("[", maxBody)
	for name, bomb := range map[string]func() bool{
		"parts": func() bool { _, err := parseForm("multipart/form-data; boundary=b", []byte(many)); return err != nil },
		"headers": func() bool {
			_, err := parseForm("multipart/form-data; boundary=b", []byte(headers))
			return err != nil
		},
		"arguments": func() bool {
			_, err := parseCommAPIData(append([]byte{0x12, 0x80, 0x80, 0x08}, bytes.Repeat([]byte{0x0a, 0}, maxBody/2)...))
			return err != nil
		},
		"nested": func() bool {
			m := commAPIData{pairs: []pair{{key: "a", value: []byte(nested)}}}
			return string(m.arguments()) == "{"
		},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		refused := bomb()
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; !refused || used > 4<<20 {
			t.Errorf("%s: refused %v, took %d bytes", name, refused, used)
		}
	}
}

// A stranger's words come into log and answer, but not at any length.
func TestRefusalsAreShort(t *testing.T) {
	part := "--b\r\nContent-Disposition: form-data; name=" + strings.Repeat("x", 40<<10) + "\r\n\r\n\r\n"
	_, err := parseForm("multipart/form-data; boundary=b", []byte(part+part+"--b--\r\n"))
	if err == nil || !strings.Contains(err.Error(), "comes twice") || len(err.Error()) > 200 {
		t.Errorf("%.300v", err)
	}
}

// Whatever the message, the body made of it is an object with what was in it, or one that
// cannot be read.
func FuzzMessage(f *testing.F) {
	f.Add([]byte{8, 0, 0x12, 0})
	f.Add([]byte("\x08\x00\x12\x14\x0a\x12\x0a\x08media_id\x12\x06\"NEWS\"2\x04wxOA"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseCommAPIData(data)
		if err != nil {
			return
		}
		if len(m.pairs) > maxPairs {
			t.Fatalf("%d arguments", len(m.pairs))
		}
		body := m.arguments()
		if string(body) == "{" {
			return
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal(body, &object); err != nil || len(object) > len(m.pairs) {
			t.Fatalf("%s: %v", body, err)
		}
	})
}

// Whatever the form, it is read within its bounds, or refused with words.
func FuzzForm(f *testing.F) {
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=\"apiName\"\r\n\r\nx\r\n--b--\r\n"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		parts, err := parseForm(contentType, body)
		if err != nil {
			if _, ok := err.(refusal); !ok {
				t.Fatalf("trouble: %v", err)
			}
			return
		}
		size := 0
		for name, value := range parts {
			if size += len(value); name != strings.ToLower(name) {
				t.Fatalf("part %q", name)
			}
		}
		if len(parts) > maxParts || size > len(body) {
			t.Fatalf("%d parts of %d bytes from %d", len(parts), size, len(body))
		}
	})
}
