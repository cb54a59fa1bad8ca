package compat

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/silenceper/wechat/v2/cache"
	"github.com/silenceper/wechat/v2/officialaccount/material"
	"github.com/silenceper/wechat/v2/officialaccount/message"
	"github.com/silenceper/wechat/v2/openplatform"
	"github.com/silenceper/wechat/v2/openplatform/config"
	"github.com/silenceper/wechat/v2/util"
)

// A third-party platform on silenceper/wechat goes all the way: its own code receives and
// decrypts tickets and events, and then calls on behalf of an account.
func TestSilenceperOpenPlatform(t *testing.T) {
	for _, wire := range wires {
		for _, shape := range shapes {
			t.Run(wire+"/"+shape, func(t *testing.T) {
				inNewStore(t, shape)
				openPlatform(t, wire)
			})
		}
	}
}

func openPlatform(t *testing.T, wire string) {
	data := t.TempDir()
	endpoint := serve(t, "--wire", wire, "--data", data)
	util.SetURIModifier(func(uri string) string { return strings.Replace(uri, "https://api.weixin.qq.com", endpoint, 1) })
	defer util.SetURIModifier(nil)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	sucai := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(program, append(append([]string{"component"}, args...), "--data", data)...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("sucai component %v: %v\n%s", args, err, &stderr)
		}
		return strings.TrimSpace(string(out))
	}
	made := map[string]string{}
	for line := range strings.Lines(sucai("add")) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		made[name] = value
	}
	platform := openplatform.NewOpenPlatform(&config.Config{
		AppID: made["appid"], AppSecret: made["secret"], Token: made["token"], EncodingAESKey: made["aes_key"], Cache: cache.NewMemory(),
	})

	events := make(chan *message.MixMessage, 10)
	callback := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		srv := platform.GetServer(r, w)
		srv.SetMessageHandler(func(m *message.MixMessage) *message.Reply {
			events <- m
			return nil
		})
		if err := srv.Serve(); err != nil {
			t.Error(err)
			return
		}
		fmt.Fprint(w, "success")
	}))
	defer callback.Close()
	event := func(infoType message.InfoType) *message.MixMessage {
		t.Helper()
		select {
		case m := <-events:
			if m.InfoType != infoType || m.AppID != made["appid"] {
				t.Fatalf("%s of %s came, want %s", m.InfoType, m.AppID, infoType)
			}
			return m
		case <-time.After(20 * time.Second):
			t.Fatalf("no %s came", infoType)
		}
		return nil
	}
	sucai("set", made["appid"], "push_url="+callback.URL+"/open")
	ticket := event(message.InfoTypeVerifyTicket).ComponentVerifyTicket
	token, err := platform.SetComponentAccessToken(t.Context(), ticket)
	check(err)
	if token.AccessToken == "" || token.ExpiresIn != 7200 {
		t.Errorf("token %+v", token)
	}
	if _, err := platform.SetComponentAccessToken(t.Context(), "ticket@@@x"); err == nil || !strings.Contains(err.Error(), "61006") {
		t.Errorf("a wrong ticket: %v", err)
	}
	if got := sucai("push", made["appid"]); got != "delivered=true" {
		t.Errorf("push prints %q", got)
	}
	if again := event(message.InfoTypeVerifyTicket).ComponentVerifyTicket; again == ticket || again != sucai("ticket", made["appid"]) {
		t.Errorf("ticket %q", again)
	}

	page, err := platform.GetComponentLoginPage("https://example.com/", 1, "")
	check(err)
	_, rest, _ := strings.Cut(page, "pre_auth_code=")
	preAuthCode, _, _ := strings.Cut(rest, "&")
	code := sucai("authorize", made["appid"], appID, "--sets", "11,100", "--pre-auth-code", preAuthCode)
	authorized := event(message.InfoTypeAuthorized)
	if authorized.AuthorizationCode != code || authorized.AuthorizerAppid != appID || authorized.PreAuthCode != preAuthCode {
		t.Errorf("the event is %+v", authorized)
	}
	info, err := platform.QueryAuthCode(authorized.AuthorizationCode)
	check(err)
	if info.Appid != appID || info.ExpiresIn != 7200 || len(info.FuncInfo) != 2 || info.FuncInfo[0].FuncscopeCategory.ID != 11 {
		t.Errorf("authorisation %+v", info)
	}
	if _, err := platform.QueryAuthCode(authorized.AuthorizationCode); err == nil || !strings.Contains(err.Error(), "61009") {
		t.Errorf("the code again: %v", err)
	}
	refreshed, err := platform.RefreshAuthrToken(appID, info.RefreshToken)
	check(err)
	if refreshed.AccessToken == "" || refreshed.AccessToken == info.AccessToken || refreshed.RefreshToken != info.RefreshToken {
		t.Errorf("refreshed %+v", refreshed)
	}
	authorizer, base, err := platform.GetAuthrInfo(appID)
	check(err)
	if authorizer.NickName != appID || authorizer.ServiceTypeInfo.ID != 2 || base.Appid != appID || len(base.FuncInfo) != 2 {
		t.Errorf("account %+v, %+v", authorizer, base)
	}

	// On behalf of the account, with the SDK's own way to its token.
	account := platform.GetOfficialAccount(appID)
	m := account.GetMaterial()
	var picture bytes.Buffer
	check(png.Encode(&picture, image.NewGray(image.Rect(0, 0, 8, 8))))
	file := filepath.Join(t.TempDir(), "图片.png")
	check(os.WriteFile(file, picture.Bytes(), 0o600))
	id, _, err := m.AddMaterial(material.MediaTypeImage, file)
	check(err)
	list, err := m.BatchGetMaterial(material.PermanentMaterialTypeImage, 0, 20)
	check(err)
	if list.TotalCount != 1 || len(list.Item) != 1 || list.Item[0].MediaID != id {
		t.Errorf("list %+v", list)
	}
	// The SDK has no call for the bytes of get_material.
	authorizerToken, err := account.GetAccessToken()
	check(err)
	got, err := util.PostJSON("https://api.weixin.qq.com/cgi-bin/material/get_material?access_token="+authorizerToken, map[string]string{"media_id": id})
	check(err)
	if !bytes.Equal(got, picture.Bytes()) {
		t.Errorf("get_material: %.100q", got)
	}
	newsID, err := m.AddNews([]*material.Article{{Title: "标题", Content: "<p>正文</p>", ThumbMediaID: id, Digest: "摘要"}})
	check(err)
	news, err := m.GetNews(newsID)
	check(err)
	if len(news) != 1 || news[0].Title != "标题" {
		t.Errorf("news %+v", news)
	}
	check(m.DeleteMaterial(id))
	if err := m.DeleteMaterial(id); err == nil || !strings.Contains(err.Error(), "40007") {
		t.Errorf("deleted twice: %v", err)
	}

	sucai("authorize", made["appid"], appID, "--sets", "1")
	event(message.InfoTypeUpdateAuthorized)
	// The server may take the authorisation from memory for a second.
	time.Sleep(1100 * time.Millisecond)
	if _, err := m.BatchGetMaterial(material.PermanentMaterialTypeImage, 0, 20); err == nil || !strings.Contains(err.Error(), "61007") {
		t.Errorf("without the set: %v", err)
	}
	sucai("unauthorize", made["appid"], appID)
	if got := event(message.InfoTypeUnauthorized); got.AuthorizerAppid != appID {
		t.Errorf("the event is %+v", got)
	}
}
