package library

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"sucai/wechat"
)

// ComponentSettings are what an operator may set about a third-party platform.
type ComponentSettings struct {
	Name      string         `json:"name,omitempty"`      // for people
	Sets      []int          `json:"sets,omitempty"`      // permission sets that it has itself; empty: all
	Token     string         `json:"token,omitempty"`     // signs what is pushed
	AESKey    string         `json:"aes_key,omitempty"`   // encrypts what is pushed
	PushURL   string         `json:"push_url,omitempty"`  // where tickets and events go; "": nowhere
	Domain    string         `json:"domain,omitempty"`    // from which the authorisation page may be opened
	Whitelist []netip.Prefix `json:"whitelist,omitempty"` // who may call; empty: everybody

	// Mark is made at random with the platform, and tells it from another that had its
	// appid before. Nobody sees or sets it.
	Mark string `json:"mark,omitempty"`
}

// ComponentSetting is one key of ComponentSettings that an operator sees.
type ComponentSetting struct {
	Key    string
	What   string // for people
	Secret bool   // never shown
	get    func(*ComponentSettings) string
	set    func(*ComponentSettings, string) error
}

// ComponentSettingKeys are the keys that Set takes.
var ComponentSettingKeys = []ComponentSetting{
	{"name", "what people call the platform", false,
		func(s *ComponentSettings) string { return s.Name },
		func(s *ComponentSettings, v string) error { s.Name = v; return nil }},
	{"sets", "permission sets that it has itself, numbers with commas; calls that need others get 61007; empty: all", false,
		func(s *ComponentSettings) string { return SetsText(s.Sets) },
		func(s *ComponentSettings, v string) (err error) { s.Sets, err = ParseSets(v); return err }},
	{"token", "message token, 3 to 32 letters and digits, with which what is pushed is signed; empty: a new one", true,
		func(s *ComponentSettings) string { return s.Token },
		setMessageToken},
	{"aes_key", "message key, 43 characters, with which what is pushed is encrypted; empty: a new one", true,
		func(s *ComponentSettings) string { return s.AESKey },
		setAESKey},
	{"push_url", "address to which tickets and events are pushed; setting it starts the push, unsetting ends it", false,
		func(s *ComponentSettings) string { return s.shownPushURL() },
		setPushURL},
	{"domain", "host from which the authorisation page may be opened", false,
		func(s *ComponentSettings) string { return s.Domain },
		setDomain},
	{"whitelist", "addresses and CIDR blocks, with commas, that may call; others get 61004", false,
		func(s *ComponentSettings) string { return whitelistText(s.Whitelist) },
		func(s *ComponentSettings, v string) error {
			var list Settings
			err := setWhitelist(&list, v)
			s.Whitelist = list.Whitelist
			return err
		}},
}

// settingForm is what a key looks like.
var settingForm = regexp.MustCompile(`^[a-z_]{1,20}$`)

// Set changes one setting; an empty value unsets it. No error has the value of a secret
// one, or of an address, which may hold one.
func (s *ComponentSettings) Set(key, value string) error {
	value = strings.TrimSpace(value)
	i := slices.IndexFunc(ComponentSettingKeys, func(k ComponentSetting) bool { return k.Key == key })
	if i < 0 {
		var keys []string
		for _, k := range ComponentSettingKeys {
			keys = append(keys, k.Key)
		}
		name := "of that name" // an address, or what else was meant to be a value, may hold a secret
		if settingForm.MatchString(key) {
			name = strconv.Quote(key)
		}
		return fmt.Errorf("there is no setting %s; there are %s", name, strings.Join(keys, ", "))
	}
	if err := ComponentSettingKeys[i].set(s, value); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// shownPushURL leaves out the query: platforms keep the keys of their callbacks there.
func (s *ComponentSettings) shownPushURL() string {
	u, err := url.Parse(s.PushURL)
	if err != nil {
		return ""
	}
	u.RawQuery, u.ForceQuery = "", false
	return u.String()
}

// Public gives the settings that anybody who runs the store may see.
func (s ComponentSettings) Public() ComponentSettings {
	s.Token, s.AESKey, s.PushURL = "", "", s.shownPushURL()
	return s
}

// Shown gives each setting by its key, secrets left out.
func (s *ComponentSettings) Shown() (keys, values []string) {
	for _, k := range ComponentSettingKeys {
		if v := k.get(s); v != "" && !k.Secret {
			keys, values = append(keys, k.Key), append(values, v)
		}
	}
	return keys, values
}

// ParseSets reads permission sets, numbers with commas or blanks; they come out
// ascending, each once.
func ParseSets(text string) (sets []int, err error) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > 9999 {
			return nil, fmt.Errorf("%q is no permission set; numbers such as 11,100 are wanted", word)
		}
		sets = append(sets, n)
	}
	slices.Sort(sets)
	return slices.Compact(sets), nil
}

// SetsText is the opposite of ParseSets.
func SetsText(sets []int) string {
	texts := make([]string, len(sets))
	for i, n := range sets {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, ",")
}

func setMessageToken(s *ComponentSettings, value string) error {
	if value == "" {
		value = randomHex(16)
	}
	if len(value) < 3 || len(value) > 32 || strings.ContainsFunc(value, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9')
	}) {
		return errors.New("a message token has 3 to 32 letters and digits")
	}
	s.Token = value
	return nil
}

func setAESKey(s *ComponentSettings, value string) error {
	if value == "" {
		value = wechat.NewAESKey()
	}
	if err := wechat.CheckAESKey(value); err != nil {
		return err
	}
	s.AESKey = value
	return nil
}

func setPushURL(s *ComponentSettings, value string) error {
	if value != "" {
		u, err := url.Parse(value)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
			return errors.New("an address such as https://example.com/callback is wanted, without a user")
		}
	}
	s.PushURL = value
	return nil
}

func setDomain(s *ComponentSettings, value string) error {
	if u, err := url.Parse("https://" + value); value != "" && (err != nil || u.Host != value) {
		return errors.New("a host such as example.com is wanted")
	}
	s.Domain = value
	return nil
}
