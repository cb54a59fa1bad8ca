package wechat

import "strconv"

// The answers of third-party platforms (第三方平台), in the member order of the pages of
// each endpoint.

// ComponentToken is the answer of api_component_token.
type ComponentToken struct {
	ComponentAccessToken string `json:"component_access_token"`
	ExpiresIn            int64  `json:"expires_in"` // seconds
}

// AppendJSON implements [Answer].
func (t *ComponentToken) AppendJSON(dst []byte, _ Wire) []byte {
	dst = appendMember(dst, `{"component_access_token":`, t.ComponentAccessToken)
	return append(appendNumber(dst, `,"expires_in":`, t.ExpiresIn), '}')
}

// PreAuthCode is the answer of api_create_preauthcode.
type PreAuthCode struct {
	PreAuthCode string `json:"pre_auth_code"`
	ExpiresIn   int64  `json:"expires_in"` // seconds
}

// AppendJSON implements [Answer].
func (c *PreAuthCode) AppendJSON(dst []byte, _ Wire) []byte {
	return append(appendNumber(appendMember(dst, `{"pre_auth_code":`, c.PreAuthCode), `,"expires_in":`, c.ExpiresIn), '}')
}

// AuthorizerToken is the answer of api_authorizer_token.
type AuthorizerToken struct {
	AuthorizerAccessToken  string `json:"authorizer_access_token"`
	ExpiresIn              int64  `json:"expires_in"` // seconds
	AuthorizerRefreshToken string `json:"authorizer_refresh_token"`
}

// AppendJSON implements [Answer].
func (t *AuthorizerToken) AppendJSON(dst []byte, _ Wire) []byte {
	return append(t.appendMembers(append(dst, '{')), '}')
}

func (t *AuthorizerToken) appendMembers(dst []byte) []byte {
	dst = appendMember(dst, `"authorizer_access_token":`, t.AuthorizerAccessToken)
	dst = appendNumber(dst, `,"expires_in":`, t.ExpiresIn)
	return appendMember(dst, `,"authorizer_refresh_token":`, t.AuthorizerRefreshToken)
}

// FuncInfo are the permission sets (权限集) that an account granted, by their numbers.
type FuncInfo []int

func (f FuncInfo) appendTo(dst []byte) []byte {
	dst = append(dst, `,"func_info":[`...)
	for i, id := range f {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(strconv.AppendInt(append(dst, `{"funcscope_category":{"id":`...), int64(id), 10), "}}"...)
	}
	return append(dst, ']')
}

// AuthorizationInfo is the answer of api_query_auth.
type AuthorizationInfo struct {
	AuthorizerAppID string
	AuthorizerToken
	FuncInfo FuncInfo
}

// AppendJSON implements [Answer].
func (a *AuthorizationInfo) AppendJSON(dst []byte, _ Wire) []byte {
	dst = appendMember(dst, `{"authorization_info":{"authorizer_appid":`, a.AuthorizerAppID)
	return append(a.FuncInfo.appendTo(a.appendMembers(append(dst, ','))), "}}"...)
}

// AuthorizerInfo is the answer of api_get_authorizer_info.
type AuthorizerInfo struct {
	NickName    string
	UserName    string // the account's original id, gh_ and 12 hex digits
	ServiceType int    // 0 subscription account or mini program, 2 service account
	VerifyType  int    // -1 not verified, 0 verified
	MiniProgram bool

	AuthorizerAppID        string
	AuthorizerRefreshToken string
	FuncInfo               FuncInfo
}

// AppendJSON implements [Answer]. What a library of materials does not know, such as the
// account's picture, is empty.
func (a *AuthorizerInfo) AppendJSON(dst []byte, w Wire) []byte {
	from := len(dst)
	dst = appendMember(dst, `{"authorizer_info":{"nick_name":`, a.NickName)
	dst = appendNumber(dst, `,"head_img":"","service_type_info":{"id":`, int64(a.ServiceType))
	dst = appendNumber(dst, `},"verify_type_info":{"id":`, int64(a.VerifyType))
	dst = appendMember(dst, `},"user_name":`, a.UserName)
	dst = append(dst, `,"alias":"","qrcode_url":"","business_info":{"open_pay":0,"open_shake":0,"open_scan":0,"open_card":0,"open_store":0},"idc":1`...)
	dst = appendMember(dst, `,"principal_name":`, a.NickName)
	dst = append(dst, `,"signature":""`...)
	if a.MiniProgram {
		dst = append(dst, `,"MiniProgramInfo":{"network":{"RequestDomain":[],"WsRequestDomain":[],"UploadDomain":[],"DownloadDomain":[],"BizDomain":[],"UDPDomain":[]},"categories":[],"visit_status":0}`...)
	}
	dst = appendMember(dst, `},"authorization_info":{"authorizer_appid":`, a.AuthorizerAppID)
	dst = appendMember(dst, `,"authorizer_refresh_token":`, a.AuthorizerRefreshToken)
	return append(w.finish(a.FuncInfo.appendTo(dst), from), "}}"...)
}

// AuthorizerPage is the answer of api_get_authorizer_list.
type AuthorizerPage struct {
	Total int64 // of all accounts that authorised the platform
	List  []AuthorizerItem
}

// AuthorizerItem is one account of an AuthorizerPage.
type AuthorizerItem struct {
	AuthorizerAppID string `json:"authorizer_appid"`
	RefreshToken    string `json:"refresh_token"`
	AuthTime        int64  `json:"auth_time"` // Unix seconds
}

// AppendJSON implements [Answer].
func (p *AuthorizerPage) AppendJSON(dst []byte, _ Wire) []byte {
	dst = append(appendNumber(dst, `{"total_count":`, p.Total), `,"list":[`...)
	for i, it := range p.List {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendMember(dst, `{"authorizer_appid":`, it.AuthorizerAppID)
		dst = appendMember(dst, `,"refresh_token":`, it.RefreshToken)
		dst = append(appendNumber(dst, `,"auth_time":`, it.AuthTime), '}')
	}
	return append(dst, "]}"...)
}

// Running is the answer of api_start_push_ticket where tickets are pushed already.
var Running Answer = &Error{0, "in a normal state"}
