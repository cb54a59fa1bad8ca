package wechat

import "testing"

// The answers of third-party platforms, each with a golden file.
func TestComponentAnswers(t *testing.T) {
	token := AuthorizerToken{AuthorizerAccessToken: "47_abc-_", ExpiresIn: 7200, AuthorizerRefreshToken: "refreshtoken@@@x"}
	info := AuthorizerInfo{NickName: "我的/\"号\"", UserName: "gh_0123456789ab", ServiceType: 2, VerifyType: -1,
		AuthorizerAppID: "wxa", AuthorizerRefreshToken: "refreshtoken@@@x", FuncInfo: FuncInfo{3}}
	mini := info
	mini.MiniProgram = true
	for name, answer := range map[string]Answer{
		"component_token":             &ComponentToken{"47_abc-_", 7200},
		"component_preauthcode":       &PreAuthCode{"preauthcode@@@x", 1800},
		"component_authorizer_token":  &token,
		"component_query_auth":        &AuthorizationInfo{"wxa", token, FuncInfo{11, 100}},
		"component_query_auth_none":   &AuthorizationInfo{"wxa", token, nil},
		"component_authorizer_info":   &info,
		"component_mini_program_info": &mini,
		"component_list":              &AuthorizerPage{33, []AuthorizerItem{{"wxa", "refreshtoken@@@x", 1558000607}, {"wxb", "r", 1}}},
		"component_list_empty":        &AuthorizerPage{},
		"component_running":           Running,
		"error_component":             ErrSetMissing,
	} {
		wire := Wire{Base: "https://new.example", RID: "60dee549-5a2d6284-2af53adb"}
		wantGolden(t, name+".json", answer.AppendJSON(nil, wire))
		wire.Live = true
		wantGolden(t, name+".live.json", answer.AppendJSON([]byte("/"), wire)[1:])
	}
}
