package storetest

import (
	"errors"
	"os"
	"testing"
)

// Places are servers, as of Postgres and S3, for who runs programs and is no test.
type Places struct {
	s3    *S3Server // nil where TEST_S3_URL names one
	drops []func() error
}

// OpenPlaces starts what is not there. The caller closes it.
func OpenPlaces() (p *Places, err error) {
	p = &Places{}
	if os.Getenv("TEST_S3_URL") == "" {
		if p.s3, err = StartS3(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// New gives the environment in which a sucai finds a new outgrown store.
func (p *Places) New() ([]string, error) {
	bucket, env := os.Getenv("TEST_S3_URL"), []string(nil)
	if p.s3 != nil {
		bucket, env = p.s3.Address(p.s3.Host), p.s3.Env()
	}
	blobs, err := newPrefix(bucket)
	if err != nil {
		return nil, err
	}
	db, drop, err := newSchema()
	if err != nil {
		return nil, err
	}
	p.drops = append(p.drops, drop)
	return append(env, "SUCAI_DB="+db, "SUCAI_BLOBS="+blobs), nil
}

// Close removes what New made, and ends what was started.
func (p *Places) Close() (err error) {
	for _, drop := range p.drops {
		err = errors.Join(err, drop())
	}
	if p.s3 != nil {
		err = errors.Join(err, p.s3.Stop())
	}
	return err
}

// Servers starts both servers for a test alone, which may halt them. Where they are not
// installed, they are Missing.
func Servers(t testing.TB) (*PostgresServer, *S3Server) {
	t.Helper()
	stop := func(g *guard) {
		t.Cleanup(func() {
			if err := g.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
	db, err := StartPostgres()
	if err != nil {
		Missing(t, err)
	}
	stop(db.guard)
	s3, err := StartS3()
	if err != nil {
		Missing(t, err)
	}
	stop(s3.guard)
	return db, s3
}
