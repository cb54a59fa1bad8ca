package main

import (
	"net/url"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"sucai/internal/library/storetest"
)

// Sessions of a user whose blobs are in a bucket: S3 is its address, S3_TOO another place
// in it, NO_BUCKET and OTHER_REGION are wrong ones; and of one whose database is DB, with
// blobs in OTHER_S3. The credentials are in the environment.
func TestS3Sessions(t *testing.T) {
	address, too, other, db, another := storetest.S3(t), storetest.S3(t), storetest.S3(t), storetest.Postgres(t), storetest.Postgres(t)
	wrong := func(change func(u *url.URL, q url.Values)) string {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		change(u, q)
		u.RawQuery = q.Encode()
		return u.String()
	}
	params := sessions("testdata/s3")
	setup := params.Setup
	params.Setup = func(env *testscript.Env) error {
		env.Setenv("S3", address)
		env.Setenv("OTHER_S3", other)
		env.Setenv("DB", db)
		env.Setenv("OTHER_DB", another)
		env.Setenv("S3_TOO", too)
		env.Setenv("NO_BUCKET", wrong(func(u *url.URL, _ url.Values) { u.Host = "no-such-bucket" }))
		env.Setenv("OTHER_REGION", wrong(func(_ *url.URL, q url.Values) { q.Set("region", "xx-nowhere-1") }))
		for _, name := range keyNames {
			env.Setenv(name, os.Getenv(name))
		}
		return setup(env)
	}
	testscript.Run(t, params)
}
