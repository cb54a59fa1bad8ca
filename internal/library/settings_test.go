package library

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestSettings(t *testing.T) {
	for _, c := range []struct{ pairs, want string }{
		{"name=素材 一", "name=素材 一"},
		{"whitelist=10.1.2.3/8,192.0.2.7", "whitelist=10.0.0.0/8,192.0.2.7"},
		{"whitelist=::1;2001:db8::/32", "whitelist=::1,2001:db8::/32"},
		{"whitelist=::ffff:192.0.2.7", "whitelist=192.0.2.7"},
		{"whitelist=::ffff:127.0.0.0/104", "whitelist=127.0.0.0/8"},
		{"whitelist=10.0.0.1|whitelist=", ""},
		{"frozen=true", "frozen=true"},
		{"frozen=1|frozen=false", ""},
		{"retired_news=true", "retired_news=true"},
		{"quota.get_material=5", "quota.get_material=5"},
		{"quota.material/get_material=5", "quota.get_material=5"},
		{"quota.uploadimg=0", "quota.media/uploadimg=0"},
		{"quota.token=7|quota.token=", ""},
		{"kind=test", "kind=test|quota.token=2000|quota.token.from=kind; documented|quota.stable_token=500000|quota.stable_token.from=kind; documented|quota.batchget_material=10|quota.batchget_material.from=kind; told by the platform's staff|" +
			"quota.get_materialcount=10|quota.get_materialcount.from=kind; told by the platform's staff|quota.add_material=10|quota.add_material.from=kind; seen in 2024|" +
			"quota.media/upload=100000|quota.media/upload.from=kind; documented|quota.media/get=200000|quota.media/get.from=kind; documented"},
		{"kind=Mini Program|quota.token=unlimited", "kind=mini-program|quota.token=unlimited|quota.stable_token=500000|quota.stable_token.from=kind; documented"},
		{"kind=service verified", ""},
	} {
		var s Settings
		for pair := range strings.SplitSeq(c.pairs, "|") {
			key, value, _ := strings.Cut(pair, "=")
			if err := s.Set(key, value); err != nil {
				t.Errorf("%s: %v", pair, err)
			}
		}
		if c.pairs == "kind=service verified" {
			if s.Kind != "verified-service" {
				t.Errorf("%s: kind %q", c.pairs, s.Kind)
			}
			continue
		}
		if got := strings.Join(s.Shown(), "|"); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.pairs, got, c.want)
		}
		// They come back from the store as they are.
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var again Settings
		if err := json.Unmarshal(data, &again); err != nil || !slices.Equal(again.Shown(), s.Shown()) {
			t.Errorf("%s: stored as %s, %v", c.pairs, data, err)
		}
	}
	for _, bad := range []string{"", "nam=x", "whitelist=10.0.0.1/33", "whitelist=here", "whitelist=fe80::1%eth0", "kind=company", "kind=verified", "kind=unverified", "kind=account", "whitelist=,",
		"frozen=perhaps", "quota.=1", "quota.nothing=1", "quota.token=-1", "quota.token=many", "quota.token=1.5", "demo=true"} {
		s := Settings{Name: "n"}
		key, value, _ := strings.Cut(bad, "=")
		if err := s.Set(key, value); err == nil {
			t.Errorf("%q is taken", bad)
		}
		if got := strings.Join(s.Shown(), "|"); got != "name=n" {
			t.Errorf("%q changed something: %s", bad, got)
		}
	}
}

// The map of quotas may be shared with a caller in memory: it is replaced, not changed.
func TestQuotaIsCopied(t *testing.T) {
	var s Settings
	if err := s.Set("quota.token", "1"); err != nil {
		t.Fatal(err)
	}
	read := s
	if err := s.Set("quota.token", "2"); err != nil {
		t.Fatal(err)
	}
	if read.Quota["token"] != 1 {
		t.Error("a quota changed under its reader")
	}
}
