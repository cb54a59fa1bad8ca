package server

import (
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sucai/internal/library"
)

// Whatever callers send wherever, no token, secret, password or address that opens
// something comes into the log, in either format; and each request has its line there.
func TestNothingSecretInTheLog(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			log := &lockedBuffer{}
			f := newFixture(t, func(_ *library.Options, so *Options) {
				so.AdminKey = "admin-key-0123456789"
				so.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
				if format == "json" {
					so.Log = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
				}
			})
			p := f.platform(11)
			const secret = "other-account's-secret-0001"
			_, _, err := f.ls.NewAccount(t.Context(), "wxother", secret)
			must(t, err)
			_, answer := f.do("POST", "/cgi-bin/stable_token", "", strings.NewReader(`{"grant_type":"client_credential","appid":"wxother","secret":"`+secret+`"}`))
			stable := f.member(string(answer), "access_token").(string)
			f.do("GET", "/cgi-bin/token?grant_type=client_credential&appid=wxother&secret="+url.QueryEscape(secret), "", nil)
			f.do("GET", "/cgi-bin/token?grant_type=client_credential&appid="+url.QueryEscape(secret)+"&secret=wxother", "", nil)
			video := f.add("video", "a.mp4", mp4Bytes(), fieldPart("description", `{"title":"t","introduction":"i"}`))
			down := f.member(f.call("material/get_material", `{"media_id":"`+video+`"}`), "down_url").(string)
			uploaded := f.upload("material/add_material?type=image", filePart("media", "a.png", pngBytes(1, 1)))
			picture := f.member(uploaded, "url").(string)
			key := strings.Split(strings.TrimPrefix(picture, f.base), "/")[2]
			sent, err := url.Parse(down)
			must(t, err)
			vkey := sent.Query().Get("vkey")
			secrets := map[string]string{
				"token": f.token, "stable token": stable, "platform's secret": p.secret, "ticket": p.ticket, "component token": p.token,
				"authorizer token": p.authorizer, "refresh token": p.refresh, "password": "hunter2-password", "key of a picture": key, "signature": vkey,
				"account's secret": secret, "admin key": "admin-key-0123456789", "AES key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
			}
			var rids []string
			send := func(method, path, contentType, body string, secret string) {
				req, err := http.NewRequest(method, f.base+path, strings.NewReader(body))
				must(t, err)
				req.Header.Set("Content-Type", contentType)
				for _, name := range []string{"Authorization", "Cookie", "User-Agent", "Referer", "X-Forwarded-For", "X-Forwarded-Proto", "Origin", "Range", "If-None-Match", "X-Rid", "Accept"} {
					req.Header.Set(name, secret)
				}
				req.Host = secrets["password"] + ".example.com"
				res, err := http.DefaultClient.Do(req)
				must(t, err)
				_, err = io.Copy(io.Discard, res.Body)
				must(t, err)
				res.Body.Close()
				rids = append(rids, res.Header.Get("X-Rid"))
			}
			paths := []string{"/", "/s", "/mmbiz_png/SECRET/0", "/mmbiz_png/SECRET/SECRET", "/video/SECRET/SECRET.mp4", "/video/wxaccount/" + video + ".mp4",
				"/cgi-bin/material/get_material&access_token=SECRET", "/cgi-bin/SECRET", "/SECRET", "/cgi-bin/material/get_material/SECRET", "/cgi-bin/%0aaccess_token=SECRET", "/_sucai/openapi.json"}
			for path := range routes {
				paths = append(paths, path)
			}
			slices.Sort(paths)
			for _, secret := range []string{secrets["password"], strings.Join(slices.Sorted(maps.Values(secrets)), ".")} {
				query := url.Values{}
				args := map[string]any{}
				for _, param := range []string{"access_token", "component_access_token", "appid", "secret", "grant_type", "media_id", "type", "description", "__biz", "mid", "idx", "sn",
					"expires", "vkey", "component_appid", "component_secret", "component_appsecret", "component_verify_ticket", "authorization_code", "authorizer_appid",
					"authorizer_refresh_token", "offset", "count", "force_refresh", "articles", "index"} {
					query.Set(param, secret)
					args[param] = secret
				}
				object, err := json.Marshal(args)
				must(t, err)
				multipartType, form := multipartForm(fieldPart(secret, secret), filePart("media", secret, []byte(secret)), filePart("buffer", secret+".png", pngBytes(1, 1)), fieldPart("description", secret))
				with := func(token string) string {
					q := url.Values{"access_token": {token}}
					for k, v := range query {
						if k != "access_token" {
							q[k] = v
						}
					}
					return q.Encode()
				}
				send("PASSWORD-hunter2-password", "/cgi-bin/token", "", "", secret)
				send("hunter2-password", "/", "", "", secret)
				for _, path := range paths {
					path = strings.ReplaceAll(path, "SECRET", url.PathEscape(secret))
					for _, asked := range []string{query.Encode(), with(f.token), with(p.authorizer), with(p.token), "access_token=" + f.token} {
						send("GET", path+"?"+asked, "", "", secret)
						send("POST", path+"?"+asked, "application/json", string(object), secret)
						send("POST", path+"?"+asked, multipartType, form.String(), secret)
					}
					send("POST", path, "multipart/form-data; boundary=x", "--x\r\n"+secret+"\r\n\r\n--x--"+secret, secret)
					send("POST", path+"?access_token="+f.token, "multipart/form-data; boundary=x", "--x\r\n"+secret+"\r\n\r\n--x--"+secret, secret)
					send("POST", path+"?access_token="+f.token, "multipart/form-data; boundary=x", "--x\r\nA: b\r\n\r\n--x"+secret, secret)
					send("POST", path+"?access_token="+f.token, "application/json", `{"`+secret+`":"`+secret, secret)
				}
			}
			for _, right := range []string{down, picture} {
				res, err := http.Get(right)
				must(t, err)
				res.Body.Close()
				rids = append(rids, res.Header.Get("X-Rid"))
			}
			for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
				text := log.String() // lines are written behind the answers
				if !slices.ContainsFunc(rids[len(rids)-10:], func(rid string) bool { return !strings.Contains(text, rid) }) {
					break
				}
			}
			text := log.String()
			for name, secret := range secrets {
				for _, form := range []string{secret, url.QueryEscape(secret), strings.ReplaceAll(secret, "@", `\u0040`)} {
					if at := strings.Index(text, form); at >= 0 {
						t.Errorf("the %s is in the log: ..%s..", name, text[max(0, at-300):min(len(text), at+100)])
					}
				}
			}
			lines := map[string]int{}
			for _, rid := range regexp.MustCompile(`rid"?[:=]"?([0-9a-f-]{26})`).FindAllStringSubmatch(text, -1) {
				lines[rid[1]]++
			}
			for _, rid := range rids {
				if lines[rid] != 1 {
					t.Errorf("%d lines for the request %q", lines[rid], rid)
				}
			}
		})
	}
}

// The line of a request has the fields that docs/metrics.md tells of, with what they are.
func TestFieldsOfTheLog(t *testing.T) {
	text, err := os.ReadFile("../../docs/metrics.md")
	must(t, err)
	_, section, _ := strings.Cut(string(text), "\n## The log\n")
	documented := regexp.MustCompile("(?m)^\\| `[^|]*` \\|").FindAllString(section, -1)
	if len(documented) < 10 {
		t.Fatalf("documented: %q", documented)
	}
	log := &lockedBuffer{}
	f := newFixture(t, func(_ *library.Options, so *Options) { so.Log = slog.New(slog.NewJSONHandler(log, nil)) })
	p := f.platform(11)
	picture := f.member(f.upload("material/add_material?type=image", filePart("media", "a.png", padded(500))), "url").(string)
	id := f.add("image", "a.png", padded(700))
	body := `{"media_id":"` + id + `"}`
	for _, c := range []struct {
		method, path, body string
		want               map[string]any
	}{
		{"POST", f.at("material/get_material"), body, map[string]any{"level": "INFO", "msg": "call", "method": "POST", "endpoint": "get_material",
			"errcode": 0.0, "received": float64(len(body)), "bytes": 700.0, "from": "127.0.0.1", "appid": "wxaccount"}},
		{"POST", "/cgi-bin/material/get_material?access_token=" + p.authorizer, `{"media_id":"x"}`, map[string]any{"msg": "call", "errcode": 40007.0,
			"appid": "wxaccount", "component": "wxplatform", "error": "40007 invalid media_id"}},
		{"GET", "/cgi-bin/token?appid=wxaccount&grant_type=client_credential&secret=x", "", map[string]any{"endpoint": "token", "errcode": 40125.0, "appid": "wxaccount"}},
		{"POST", "/cgi-bin/component/api_create_preauthcode?component_access_token=" + p.token, `{"component_appid":"wxplatform"}`,
			map[string]any{"endpoint": "component/api_create_preauthcode", "errcode": 0.0, "component": "wxplatform"}},
		{"GET", "/cgi-bin/draft/add", "", map[string]any{"endpoint": "other", "path": "/cgi-bin/draft/add", "errcode": 40066.0}},
		{"GET", "/cgi-bin/draft/add&access_token=x", "", map[string]any{"endpoint": "other", "path": "/cgi-bin/draft/add…"}},
		{"GET", strings.TrimPrefix(picture, f.base), "", map[string]any{"msg": "public address", "endpoint": "picture", "status": 200.0, "bytes": 500.0}},
		{"HEAD", "/", "", map[string]any{"msg": "public address", "method": "HEAD", "endpoint": "index", "status": 200.0, "bytes": 0.0}},
		{"GET", "/video/x/y.mp4", "", map[string]any{"msg": "public address", "endpoint": "video", "status": 403.0}},
	} {
		before := len(log.String())
		res, _ := f.do(c.method, c.path, "", strings.NewReader(c.body))
		var line map[string]any
		for text := ""; !strings.HasSuffix(text, "\n"); text = log.String()[before:] { // it is written behind the answer
			time.Sleep(time.Millisecond)
		}
		must(t, json.Unmarshal([]byte(log.String()[before:]), &line))
		c.want["rid"] = res.Header.Get("X-Rid")
		for name, want := range c.want {
			if line[name] != want {
				t.Errorf("%s %.40s: %s is %v, want %v", c.method, c.path, name, line[name], want)
			}
		}
		for _, name := range []string{"msg", "method", "endpoint", "received", "bytes", "duration", "rid", "from"} {
			if line[name] == nil {
				t.Errorf("%s %.40s: no %s in %v", c.method, c.path, name, line)
			}
		}
		if d, ok := line["duration"].(float64); !ok || d <= 0 || d > 60 {
			t.Errorf("duration %v", line["duration"])
		}
		for name := range line {
			if name != "time" && name != "level" && !slices.ContainsFunc(documented, func(row string) bool { return strings.Contains(row, "`"+name+"`") }) {
				t.Errorf("the field %s is not in docs/metrics.md", name)
			}
		}
	}
}
