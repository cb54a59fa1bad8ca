package library

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// What was set is shown as what sets it again, comes back from where it is stored, and
// is undone by nothing.
func FuzzSettings(f *testing.F) {
	for _, c := range [][2]string{
		{"name", " 名 "}, {"whitelist", "10.0.0.0/8, 192.0.2.1;::1"}, {"whitelist", "10.0.0.1/8"}, {"whitelist", "::ffff:192.0.2.1"}, {"whitelist", "fe80::1%eth0"},
		{"whitelist", "::ffff:10.0.0.0/104"}, {"kind", "verified service"}, {"kind", "Mini-Program"}, {"kind", "test"}, {"kind", "x"}, {"frozen", "true"}, {"frozen", "0"}, {"frozen", "yes"},
		{"retired_news", "T"}, {"quota.token", "5"}, {"quota.material/add_news", "unlimited"}, {"quota.upload", "-1"}, {"quota.get", "007"}, {"quota.token", ""}, {"quota.x", "1"}, {"x", "y"},
	} {
		f.Add(c[0], c[1])
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		before := Settings{Name: "n", Quota: map[string]int64{"token": 7}}
		s := before
		if err := s.Set(key, value); err != nil {
			if !reflect.DeepEqual(s, before) {
				t.Fatalf("%s=%q is refused, %v, and changes %+v", key, value, err, s)
			}
			return
		}
		if before.Quota["token"] != 7 || len(before.Quota) != 1 {
			t.Fatal("the map of another was changed")
		}
		var again Settings
		for _, line := range s.Shown() {
			k, v, _ := strings.Cut(line, "=")
			if strings.HasSuffix(k, ".from") || slices.Contains(s.Shown(), k+".from=kind; "+kinds[s.Kind].quotas[strings.TrimPrefix(k, QuotaKey)].known) {
				continue // it comes with the kind
			}
			if err := again.Set(k, v); err != nil {
				t.Fatalf("%s is shown of %s=%q: %v", line, key, value, err)
			}
		}
		if len(s.Whitelist)+len(again.Whitelist) == 0 {
			s.Whitelist, again.Whitelist = nil, nil
		}
		if len(s.Quota)+len(again.Quota) == 0 {
			s.Quota, again.Quota = nil, nil
		}
		if !reflect.DeepEqual(s, again) {
			t.Fatalf("%s=%q\n is %+v\n shown as %+v", key, value, s, again)
		}
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var stored Settings
		if err := json.Unmarshal(data, &stored); err != nil || stored.Name == s.Name && !reflect.DeepEqual(s, stored) {
			t.Fatalf("%+v\n is stored as %s, %v", s, data, err)
		}
	})
}
