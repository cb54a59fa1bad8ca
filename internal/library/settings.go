package library

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Settings are what an operator may set about an account. All is off unless set.
type Settings struct {
	Name        string           `json:"name,omitempty"`         // for people
	Demo        bool             `json:"demo,omitempty"`         // the demo library has been imported in full
	Whitelist   []netip.Prefix   `json:"whitelist,omitempty"`    // who may call; empty: everybody
	Kind        Kind             `json:"kind,omitempty"`         // what sort of account it is; "": one that may do everything
	Frozen      bool             `json:"frozen,omitempty"`       // calls are refused, but those for tokens
	RetiredNews bool             `json:"retired_news,omitempty"` // add_news and update_news are refused, as they are since 2022
	Quota       map[string]int64 `json:"quota,omitempty"`        // calls a day, by endpoint; noQuota for as many as one likes
}

const noQuota = -1

// Endpoints are the names of all endpoints of the API for which quotas can be set.
var Endpoints = []string{
	"token", "stable_token",
	"get_material", "batchget_material", "get_materialcount", "add_material", "del_material", "add_news", "update_news",
	"media/uploadimg", "media/upload", "media/get",
}

// Setting is one key of Settings that an operator sees.
type Setting struct {
	Key  string
	What string // for people
	get  func(*Settings) string
	set  func(*Settings, string) error
}

// SettingKeys are the keys that Set takes.
var SettingKeys = []Setting{
	{"name", "what people call the account; shown on the pages of its articles",
		func(s *Settings) string { return s.Name },
		func(s *Settings, v string) error { s.Name = v; return nil }},
	{"whitelist", "addresses and CIDR blocks, with commas, that may call; others get 40164",
		func(s *Settings) string { return whitelistText(s.Whitelist) },
		setWhitelist},
	{"kind", "what sort of account it is: " + kindNames() + "; interfaces that it lacks answer 48001, and it brings quotas",
		func(s *Settings) string { return string(s.Kind) },
		setKind},
	{"frozen", "true: every call but those for tokens answers 50002",
		func(s *Settings) string { return flagText(s.Frozen) },
		func(s *Settings, v string) (err error) { s.Frozen, err = parseFlag(v); return err }},
	{"retired_news", "true: add_news and update_news answer 45106, as the live service does since 2022",
		func(s *Settings) string { return flagText(s.RetiredNews) },
		func(s *Settings, v string) (err error) { s.RetiredNews, err = parseFlag(v); return err }},
}

// QuotaKey begins the keys of quotas; the name of one of Endpoints follows.
const QuotaKey = "quota."

// Set changes one setting; an empty value unsets it.
func (s *Settings) Set(key, value string) error {
	value = strings.TrimSpace(value)
	if endpoint, ok := strings.CutPrefix(key, QuotaKey); ok {
		return s.setQuota(endpoint, value)
	}
	i := slices.IndexFunc(SettingKeys, func(k Setting) bool { return k.Key == key })
	if i < 0 {
		var keys []string
		for _, k := range SettingKeys {
			keys = append(keys, k.Key)
		}
		return fmt.Errorf("there is no setting %q; there are %s and %sENDPOINT", key, strings.Join(keys, ", "), QuotaKey)
	}
	if err := SettingKeys[i].set(s, value); err != nil {
		return fmt.Errorf("%s=%s: %w", key, value, err)
	}
	return nil
}

// Shown gives each setting as key=value, quotas that come with the kind included.
func (s *Settings) Shown() (lines []string) {
	for _, k := range SettingKeys {
		if v := k.get(s); v != "" {
			lines = append(lines, k.Key+"="+v)
		}
	}
	for _, endpoint := range Endpoints {
		if n, ok := s.Quota[endpoint]; ok {
			lines = append(lines, QuotaKey+endpoint+"="+quotaText(n))
		} else if q, ok := kinds[s.Kind].quotas[endpoint]; ok {
			lines = append(lines, fmt.Sprintf("%s%s=%d", QuotaKey, endpoint, q.daily), QuotaKey+endpoint+".from=kind; "+q.known)
		}
	}
	return lines
}

func (s *Settings) setQuota(endpoint, value string) error {
	endpoint = strings.TrimPrefix(endpoint, "material/")
	if slices.Contains(Endpoints, "media/"+endpoint) {
		endpoint = "media/" + endpoint
	}
	if !slices.Contains(Endpoints, endpoint) {
		return fmt.Errorf("there is no endpoint %q; there are %s", endpoint, strings.Join(Endpoints, ", "))
	}
	quota := maps.Clone(s.Quota) // the map may be shared with who reads
	if quota == nil {
		quota = map[string]int64{}
	}
	switch n, err := strconv.ParseInt(value, 10, 64); {
	case value == "":
		delete(quota, endpoint)
	case value == quotaText(noQuota):
		quota[endpoint] = noQuota
	case err != nil || n < 0:
		return fmt.Errorf("%s%s=%s: a number of calls a day is wanted, or %s", QuotaKey, endpoint, value, quotaText(noQuota))
	default:
		quota[endpoint] = n
	}
	s.Quota = quota
	return nil
}

func quotaText(n int64) string {
	if n == noQuota {
		return "unlimited"
	}
	return strconv.FormatInt(n, 10)
}

func setWhitelist(s *Settings, value string) error {
	var list []netip.Prefix
	for _, text := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ';' || unicode.IsSpace(r) }) {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			addr, err := netip.ParseAddr(text)
			if err != nil || addr.Zone() != "" {
				return fmt.Errorf("%q is no address and no CIDR block", text)
			}
			p = netip.PrefixFrom(addr.Unmap(), addr.Unmap().BitLen())
		}
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		list = append(list, p.Masked())
	}
	if len(list) == 0 && value != "" {
		return errors.New("an address or a CIDR block is wanted")
	}
	s.Whitelist = list
	return nil
}

func whitelistText(list []netip.Prefix) string {
	texts := make([]string, len(list))
	for i, p := range list {
		if texts[i] = p.String(); p.IsSingleIP() {
			texts[i] = p.Addr().String()
		}
	}
	return strings.Join(texts, ",")
}

func parseFlag(value string) (bool, error) {
	if value == "" {
		return false, nil
	}
	on, err := strconv.ParseBool(value)
	if err != nil {
		return false, fmt.Errorf("true or false is wanted")
	}
	return on, nil
}

func flagText(on bool) string {
	if on {
		return "true"
	}
	return ""
}
