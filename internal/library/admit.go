package library

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"sucai/wechat"
)

// Kind is what sort of account one is; "" is one that may do everything.
type Kind string

// kindQuota is how many calls a day a kind has, and how surely that is known.
type kindQuota struct {
	daily int64
	known string
}

// kindRule is what a kind may do.
type kindRule struct {
	has    func(endpoint string) bool
	quotas map[string]kindQuota
}

// The quotas of Official Accounts. "documented" is the platform's page of call limits;
// the others were only told by somebody.
var accountQuotas = map[string]kindQuota{
	"token":             {2000, "documented"},
	"stable_token":      {500_000, "documented"},
	"media/upload":      {100_000, "documented"},
	"media/get":         {200_000, "documented"},
	"get_material":      {500, "claimed in 2019"},
	"batchget_material": {1000, "told by the platform's staff"},
	"get_materialcount": {1000, "told by the platform's staff"},
	"media/uploadimg":   {1000, "seen in 2023, about"},
}

var testQuotas = map[string]kindQuota{
	"token":             {2000, "documented"},
	"stable_token":      {500_000, "documented"},
	"media/upload":      {100_000, "documented"},
	"media/get":         {200_000, "documented"},
	"batchget_material": {10, "told by the platform's staff"},
	"get_materialcount": {10, "told by the platform's staff"},
	"add_material":      {10, "seen in 2024"},
}

var miniQuotas = map[string]kindQuota{"token": {2000, "documented"}, "stable_token": {500_000, "documented"}}

// An account that is not verified has no interface of material management, says the
// platform's table of permissions. A mini program has what permission sets of mini
// programs open, and the temporary media of its customer-service messages.
var (
	everything = func(string) bool { return true }
	tokensOnly = func(endpoint string) bool { return endpoint == "token" || endpoint == "stable_token" }
	ofMini     = func(endpoint string) bool {
		return tokensOnly(endpoint) || slices.Contains([]string{"get_material", "media/uploadimg", "media/upload", "media/get"}, endpoint)
	}
)

var kinds = map[Kind]kindRule{
	"":                      {everything, nil},
	"subscription":          {tokensOnly, accountQuotas},
	"verified-subscription": {everything, accountQuotas},
	"service":               {tokensOnly, accountQuotas},
	"verified-service":      {everything, accountQuotas},
	"mini-program":          {ofMini, miniQuotas},
	"verified-mini-program": {ofMini, miniQuotas},
	"test":                  {everything, testQuotas},
}

func kindNames() string {
	var names []string
	for _, k := range []Kind{"subscription", "verified-subscription", "service", "verified-service", "mini-program", "verified-mini-program", "test"} {
		names = append(names, string(k))
	}
	return strings.Join(names, ", ")
}

// setKind takes the words of a kind in any order.
func setKind(s *Settings, value string) error {
	words := strings.FieldsFunc(strings.ToLower(value), func(r rune) bool { return strings.ContainsRune("-_ ,/:+", r) })
	kind, verified := "", ""
	for _, w := range words {
		switch w {
		case "verified":
			verified = "verified-"
		case "mini", "miniprogram":
			kind = "mini-program"
		case "unverified", "program", "account":
		default:
			kind += w
		}
	}
	k := Kind(verified + kind)
	if kind == "test" {
		k = "test"
	}
	if _, ok := kinds[k]; !ok || k == "" && value != "" {
		return fmt.Errorf("one of %s is wanted", kindNames())
	}
	s.Kind = k
	return nil
}

// Admit tells whether the account may call an endpoint now, from an address, and counts
// the call where there is a quota. Errors, in this order: 40164 beside the whitelist,
// 50002 when frozen, 48001 for an interface that the account's kind lacks, 45009 over
// the quota of the day.
func (l *Library) Admit(ctx context.Context, endpoint string, from netip.Addr) error {
	list := l.Account.Settings.Whitelist
	if len(list) > 0 && !slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(from) }) {
		return wechat.ErrIPNotAllowed.With(fmt.Sprintf("invalid ip %s ipv6 %s, not in whitelist", from, mapped(from)))
	}
	return l.admit(ctx, endpoint, func() error { return nil })
}

// admit is what comes behind the list of addresses. permitted stands before what the
// account's own kind permits.
func (l *Library) admit(ctx context.Context, endpoint string, permitted func() error) error {
	s := &l.Account.Settings
	if s.Frozen && !tokensOnly(endpoint) {
		return wechat.ErrUserLimited
	}
	if err := permitted(); err != nil {
		return err
	}
	if !kinds[s.Kind].has(endpoint) {
		return wechat.ErrUnauthorized
	}
	quota, ok := s.Quota[endpoint]
	if !ok {
		var by kindQuota
		by, ok = kinds[s.Kind].quotas[endpoint]
		quota = by.daily
	}
	if !ok || quota == noQuota {
		return nil
	}
	within, err := l.ls.Accounts.CountCall(ctx, l.Account.ID, endpoint, l.ls.day(), quota)
	if err == nil && !within {
		err = wechat.ErrQuota
	}
	return err
}

// mapped is an address in the form of IPv6.
func mapped(a netip.Addr) string {
	if a.Is4() {
		return "::ffff:" + a.String()
	}
	return a.String()
}

// day numbers the days of the platform, which begin at 00:00 UTC+8.
func (ls *Libraries) day() int64 { return (ls.now().Unix() + 8*3600) / (24 * 3600) }
