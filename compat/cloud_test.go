package compat

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/png"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	demoAppID  = "wxdemo000000000000"
	demoSecret = "0123456789abcdef0123456789abcdef"
)

// cloudSDKs are the names of the versions of wx-server-sdk in node-cloud/package.json.
var cloudSDKs = []string{"wx-server-sdk-2", "wx-server-sdk-3", "wx-server-sdk-4"}

// cloudLab is a server with the demo library, an image of the largest size, and an
// environment that may call for the demo account and for one other of two.
type cloudLab struct {
	*testing.T
	node, dir      string
	env            []string // what `sucai cloud add` printed
	news, video    string   // media_ids
	image, large   string
	imageSum, sums string // sha256 of the two
}

func newCloudLab(t *testing.T, wire string) *cloudLab {
	l := &cloudLab{T: t, node: tool(t, "node"), dir: t.TempDir()}
	installModules(t, tool(t, "npm"), "node-cloud")
	endpoint := serve(t, "--demo", "--wire", wire, "--data", l.dir)
	l.sucai("", "account", "add", "wxunshared", "--data", l.dir)
	l.env = strings.Fields(l.sucai("", "cloud", "add", "env-test-1", "--owner", demoAppID, "--allow", appID, "--url", endpoint, "--data", l.dir))
	newest := func(kind string) string {
		var item struct {
			MediaID string `json:"media_id"`
		}
		if err := json.Unmarshal([]byte(l.sucai(endpoint, "ls", kind, "--limit", "1", "--json")), &item); err != nil || item.MediaID == "" {
			t.Fatalf("%s: %v %+v", kind, err, item)
		}
		return item.MediaID
	}
	l.news, l.video = newest("news"), newest("video")
	put := func(size int) (mediaID, sum string) {
		var data bytes.Buffer
		if err := png.Encode(&data, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
			t.Fatal(err)
		}
		picture := append(data.Bytes(), make([]byte, max(size-data.Len(), 0))...)
		for i := data.Len(); i < size; i++ { // what follows a picture's end does not matter to it
			picture[i] = byte(i * i >> 7)
		}
		path := filepath.Join(t.TempDir(), "picture.png")
		if err := os.WriteFile(path, picture, 0o600); err != nil {
			t.Fatal(err)
		}
		_, mediaID, _ = strings.Cut(l.sucai(endpoint, "put", path), "media_id=")
		mediaID, _, _ = strings.Cut(mediaID, "\n")
		hash := sha256.Sum256(picture)
		return mediaID, hex.EncodeToString(hash[:])
	}
	l.image, l.imageSum = put(0)
	l.large, l.sums = put(10 << 20)
	return l
}

// sucai runs a command as the demo account and gives what it prints.
func (l *cloudLab) sucai(endpoint string, args ...string) string {
	l.Helper()
	cmd := exec.CommandContext(l.Context(), program, args...)
	cmd.Env = append(os.Environ(), "SUCAI_ENDPOINT="+endpoint, "SUCAI_APPID="+demoAppID, "SUCAI_SECRET="+demoSecret)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		l.Fatalf("sucai %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return string(out)
}

// cloudCall is a call that drive.js makes, and what is to become of it: an answer that
// has these members, or a rejection.
type cloudCall struct {
	Name    string         `json:"name"`
	Options map[string]any `json:"options,omitempty"` // of cloud.openapi
	Method  string         `json:"method"`
	Args    any            `json:"args,omitempty"`

	answer  map[string]any // without errCode and errMsg
	code    int
	message string // the end of it, but for what the live wire adds
}

// drive makes calls with one version of the package and compares.
func (l *cloudLab) drive(sdk string, env []string, calls ...cloudCall) {
	l.Helper()
	list, err := json.Marshal(calls)
	if err != nil {
		l.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(l.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, l.node, "drive.js", sdk, "env-test-1", string(list))
	cmd.Dir = "node-cloud"
	// As in a cloud function, which also spares the search for one.
	cmd.Env = append(slices.Clone(env), "PATH="+os.Getenv("PATH"), "HOME="+l.TempDir(),
		"TENCENTCLOUD_RUNENV=SCF", "TENCENTCLOUD_REGION=ap-shanghai", "SCF_NAMESPACE=env-test-1")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		l.Fatalf("%s: %v\n%s", sdk, err, &stderr)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != len(calls) {
		l.Fatalf("%s: %d answers to %d calls:\n%s", sdk, len(lines), len(calls), out)
	}
	for i, c := range calls {
		var got struct {
			Name    string
			Answer  map[string]any
			Code    int
			Message string
		}
		if err := json.Unmarshal([]byte(lines[i]), &got); err != nil {
			l.Fatalf("%s: %v", lines[i], err)
		}
		switch {
		case got.Name != c.Name || got.Code != c.code || !strings.Contains(got.Message, c.message):
			l.Errorf("%s: %s\nwant %d %q", sdk, lines[i], c.code, c.message)
		case c.code != 0:
		case got.Answer["errCode"] != 0.0 || got.Answer["errMsg"] != "openapi."+c.Method+":ok":
			l.Errorf("%s: %s: no success", sdk, lines[i])
		default:
			for name, want := range c.answer {
				if fits, ok := want.(func(any) bool); ok && fits(got.Answer[name]) || !ok && got.Answer[name] == want {
					continue
				}
				l.Errorf("%s: %s: %s is %v, want %v", sdk, c.Name, name, got.Answer[name], want)
			}
		}
	}
}

// with gives the lab's variables, one changed.
func (l *cloudLab) with(name, value string) []string {
	env := slices.Clone(l.env)
	for i, pair := range env {
		if strings.HasPrefix(pair, name+"=") {
			env[i] = name + "=" + value
			return env
		}
	}
	l.Fatalf("%s is not printed", name)
	return nil
}

// bytesOf is a buffer that drive.js has summed.
func bytesOf(length int, sum string) func(any) bool {
	return func(got any) bool {
		b, ok := got.(map[string]any)
		return ok && b["sha256"] == sum && (length == 0 || b["length"] == float64(length))
	}
}

// listOf is a list whose first element has a member.
func listOf(member string) func(any) bool {
	return func(got any) bool {
		list, ok := got.([]any)
		if !ok || len(list) == 0 {
			return false
		}
		first, ok := list[0].(map[string]any)
		return ok && first[member] != nil
	}
}

// The unmodified package, pointed here by its environment alone, in three versions.
func TestCloudSDKs(t *testing.T) {
	for _, wire := range wires {
		for _, shape := range shapes {
			t.Run(wire+"/"+shape, func(t *testing.T) {
				inNewStore(t, shape)
				cloudCalls(t, wire)
			})
		}
	}
}

func cloudCalls(t *testing.T, wire string) {
	const get, list = "officialAccount.material.get", "officialAccount.material.batchGetMaterial"
	l := newCloudLab(t, wire)
	isText := func(v any) bool { s, ok := v.(string); return ok && s != "" }
	page := map[string]any{"type": "video", "offset": 0, "count": 1}
	calls := []cloudCall{
		{Name: "news", Method: get, Args: map[string]any{"mediaId": l.news}, answer: map[string]any{"newsItem": listOf("thumbMediaId"), "errmsg": nil}},
		{Name: "video", Method: get, Args: map[string]any{"mediaId": l.video}, answer: map[string]any{"title": isText, "downUrl": isText}},
		{Name: "image", Method: get, Args: map[string]any{"mediaId": l.image}, answer: map[string]any{"contentType": "image/png", "buffer": bytesOf(0, l.imageSum)}},
		{Name: "10 MiB", Method: get, Args: map[string]any{"mediaId": l.large}, answer: map[string]any{"contentType": "image/png", "buffer": bytesOf(10<<20, l.sums)}},
		{Name: "snake_case", Method: get, Args: map[string]any{"media_id": l.video}, answer: map[string]any{"title": isText}},
		{Name: "convertCase", Options: map[string]any{"convertCase": false}, Method: get, Args: map[string]any{"media_id": l.news}, answer: map[string]any{"news_item": listOf("thumb_media_id")}},
		{Name: "batch", Method: list, Args: page, answer: map[string]any{"item": listOf("mediaId"), "totalCount": 2.0, "itemCount": 1.0}},
		{Name: "appid", Options: map[string]any{"appid": appID}, Method: list, Args: page, answer: map[string]any{"totalCount": 0.0, "itemCount": 0.0}},
		{Name: "appid of the owner", Options: map[string]any{"appid": demoAppID}, Method: list, Args: page, answer: map[string]any{"totalCount": 2.0}},
		{Name: "no such material", Method: get, Args: map[string]any{"mediaId": "nothing"}, code: 40007, message: "openapi." + get + ":fail invalid media_id"},
		{Name: "missing argument", Method: get, code: 40007, message: "openapi." + get + ":fail invalid media_id"},
		{Name: "another's material", Options: map[string]any{"appid": appID}, Method: get, Args: map[string]any{"mediaId": l.image}, code: 40007, message: "invalid media_id"},
		{Name: "bad type", Method: list, Args: map[string]any{"type": "thumb", "offset": 0, "count": 1}, code: 40004, message: "invalid media type"},
		{Name: "unshared appid", Options: map[string]any{"appid": "wxunshared"}, Method: list, Args: page, code: -501006, message: "wx api error: -605108, appid unauthorized"},
		{Name: "unknown method", Method: "officialAccount.material.getMaterialCount", code: -604100, message: "-604100"},
		{Name: "an object as media_id", Method: get, Args: map[string]any{"mediaId": map[string]any{"a": []any{nil}}}, code: 47001, message: "data format error"},
	}
	one := cloudCall{Name: "one", Method: get, Args: map[string]any{"mediaId": l.video}}
	for _, sdk := range cloudSDKs {
		l.drive(sdk, l.env, calls...)
		if wire != wires[0] { // refusals are the same on both
			continue
		}
		one.code, one.message = -501001, "signature error"
		l.drive(sdk, l.with("TENCENTCLOUD_SECRETKEY", "wrong"), one)
		one.message = "secret id error"
		l.drive(sdk, l.with("TENCENTCLOUD_SECRETID", "AKIDwrong"), one)
		one.code, one.message = -501007, "missing wxCloudApiToken"
		l.drive(sdk, l.with("WX_API_TOKEN", ""), one)
		one.message = "Invalid wxCloudApiToken"
		l.drive(sdk, l.with("WX_API_TOKEN", "wrong"), one)
	}
	if wire != wires[0] {
		return
	}
	// The same name, with new keys, for an environment that may call one method only.
	l.sucai("", "cloud", "rm", "env-test-1", "--data", l.dir)
	_, url, _ := strings.Cut(l.env[0], `"URL":"`)
	l.env = strings.Fields(l.sucai("", "cloud", "add", "env-test-1", "--owner", demoAppID, "--methods", list, "--url", strings.TrimSuffix(url, `/admin"}`), "--data", l.dir))
	one.code, one.message = -604101, "-604101"
	for _, sdk := range cloudSDKs {
		l.drive(sdk, l.env, one, calls[6])
	}
}

// docs/cloud-call.md, from nothing to an answer: each command is run in its order and
// prints what stands below it. A … stands for something that differs each time.
func TestCloudGuide(t *testing.T) {
	tool(t, "node")
	tool(t, "npm")
	guide, err := os.ReadFile("../docs/cloud-call.md")
	if err != nil {
		t.Fatal(err)
	}
	before, container, ok := strings.Cut(string(guide), "## From a container")
	if !ok {
		t.Fatal("the guide has no part on containers")
	}
	dir := t.TempDir()
	_, js, _ := strings.Cut(before, "```js\n")
	js, _, _ = strings.Cut(js, "```")
	if err := os.WriteFile(filepath.Join(dir, "call.js"), []byte(js), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "sucai-data")
	t.Run("functions", func(t *testing.T) {
		wantServed(t, before, "sucai serve --demo")
		endpoint := serve(t, "--demo", "--data", data)
		followGuide(t, before, dir, "http://127.0.0.1:8080", endpoint)
	})
	t.Run("containers", func(t *testing.T) {
		wantServed(t, container, "sucai serve --demo --trusted-listen 127.0.0.1:8081 --trusted-env env-shop")
		free, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		trusted := free.Addr().String()
		if err := free.Close(); err != nil {
			t.Fatal(err)
		}
		endpoint := serve(t, "--demo", "--data", data, "--trusted-listen", trusted, "--trusted-env", "env-shop")
		followGuide(t, container, dir, "http://127.0.0.1:8080", endpoint, "http://127.0.0.1:8081", "http://"+trusted)
	})
}

// wantServed tells whether the guide starts a server as the test does.
func wantServed(t *testing.T, guide, command string) {
	t.Helper()
	if !strings.Contains(guide, "```sh\n"+command+"\n```") {
		t.Errorf("the guide does not say: %s", command)
	}
}

// followGuide runs the console blocks of a text in a directory, with names in it replaced.
func followGuide(t *testing.T, guide, dir string, replaced ...string) {
	t.Helper()
	names := strings.NewReplacer(replaced...)
	blocks := regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(guide, -1)
	if len(blocks) == 0 {
		t.Fatal("nothing to follow")
	}
	for _, block := range blocks {
		for _, part := range strings.Split("\n"+block[1], "\n$ ")[1:] {
			command, wanted, _ := strings.Cut(part, "\n")
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			cmd := exec.CommandContext(ctx, "sh", "-ec", names.Replace(command))
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(program)+string(os.PathListSeparator)+os.Getenv("PATH"))
			out, err := cmd.CombinedOutput()
			cancel()
			if err != nil {
				t.Fatalf("%s: %v\n%s", command, err, out)
			}
			pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(names.Replace(wanted))), "…", "[A-Za-z0-9_-]+") + "$"
			if !regexp.MustCompile(pattern).MatchString(strings.TrimSpace(string(out))) {
				t.Errorf("%s prints\n%s\nthe guide has\n%s", command, out, wanted)
			}
		}
	}
}
