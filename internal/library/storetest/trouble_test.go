package storetest

import (
	"context"
	"errors"
	"io"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sucai/internal/blobs"
	"sucai/internal/library"
	"sucai/wechat"
)

// behindProxies opens a new outgrown store, each half of it behind a proxy.
func behindProxies(t *testing.T) (e library.Engines, toDB, toS3 *Proxy) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := url.Parse(Postgres(t))
	must(err)
	bucket, err := url.Parse(S3(t))
	must(err)
	q := bucket.Query()
	endpoint, err := url.Parse(q.Get("endpoint"))
	must(err)
	toDB, toS3 = NewProxy(t, db.Host), NewProxy(t, endpoint.Host)
	db.Host, endpoint.Host = toDB.Addr, toS3.Addr
	q.Set("endpoint", endpoint.String())
	bucket.RawQuery = q.Encode()
	b, err := blobs.OpenS3(bucket.String(), t.TempDir())
	must(err)
	t.Cleanup(func() { b.Close() })
	e = onPostgres(t, db.String(), b)
	id, err := e.Accounts.Store(t.Context())
	must(err)
	must(b.Claim(t.Context(), id.Place, true))
	return e, toDB, toS3
}

var aBlob = strings.Repeat("a", 64) + "-01234567"

// anyValue is an argument of a type that every engine can work with.
func anyValue(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	switch x := v.Addr().Interface().(type) {
	case *io.Reader:
		*x = strings.NewReader("x")
	case *time.Time:
		*x = time.Now()
	case *[]byte:
		*x = []byte{1}
	default:
		switch t.Kind() {
		case reflect.String:
			v.SetString(aBlob)
		case reflect.Int64, reflect.Int:
			v.SetInt(1)
		case reflect.Slice:
			v.Set(reflect.Append(v, anyValue(t.Elem())))
		case reflect.Pointer:
			v.Set(reflect.New(t.Elem()))
			v.Elem().Set(anyValue(t.Elem()))
		case reflect.Struct:
			for i := range t.NumField() {
				if f := t.Field(i).Type; f == reflect.TypeFor[[]byte]() || f == reflect.TypeFor[wechat.Type]() {
					v.Field(i).Set(anyValue(f))
				}
			}
		case reflect.Func:
			v.Set(reflect.MakeFunc(t, func([]reflect.Value) (out []reflect.Value) {
				for i := range t.NumOut() {
					out = append(out, reflect.Zero(t.Out(i)))
				}
				return out
			}))
		}
	}
	return v
}

// everyMethod calls each method of an interface that takes a context, on an engine.
func everyMethod[I any](engine I) map[string]func(ctx context.Context) error {
	calls := map[string]func(ctx context.Context) error{}
	it := reflect.TypeFor[I]()
	for i := range it.NumMethod() {
		m := it.Method(i)
		calls[it.Name()+"."+m.Name] = func(ctx context.Context) error {
			args := []reflect.Value{reflect.ValueOf(ctx)}
			for n := 1; n < m.Type.NumIn(); n++ {
				args = append(args, anyValue(m.Type.In(n)))
			}
			out := reflect.ValueOf(engine).MethodByName(m.Name).Call(args)
			err, _ := out[len(out)-1].Interface().(error)
			return err
		}
	}
	return calls
}

// A batch is not in the path of a request, and has more time than a call.
var batches = []string{
	"Materials.Import", "Materials.DeleteExpired", "Materials.DeleteAll", "Materials.Unreferenced", "Materials.Miscounts",
	"Accounts.ForgetCalls", "Accounts.ForgetGrants", "Accounts.ForgetComponents", "Accounts.ImportGrants", "Accounts.DropGrants",
	"Blobs.List",
}

// contract tells whether an error is a word of the contract.
func contract(err error) bool {
	return slices.ContainsFunc([]error{library.ErrNotFound, library.ErrExists, library.ErrFull, library.ErrConflict},
		func(word error) bool { return errors.Is(err, word) })
}

// Whatever happens to the connections of a store, each of its methods gives trouble, in
// time, and never a word of the contract; afterwards all works again.
func TestTroubleIsNeverAbsence(t *testing.T) {
	const answer, patience = 3 * time.Second, 20 * time.Second // what is promised, and what a slow machine may need
	for fault, f := range map[string]Fault{
		"refused":           {Refuse: true},
		"no answer":         {Silent: true},
		"late":              {Delay: answer + time.Second},
		"cut at once":       {Budget: func(bool) int64 { return 0 }},
		"cut in the answer": {Budget: cutDown(5)},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			e, toDB, toS3 := behindProxies(t)
			calls := everyMethod(e.Materials)
			for _, more := range []map[string]func(context.Context) error{everyMethod(e.Accounts), everyMethod(e.Blobs)} {
				for name, call := range more {
					calls[name] = call
				}
			}
			for name, call := range calls {
				if err := call(t.Context()); err != nil && !contract(err) && name != "Blobs.Claim" { // for another store
					t.Errorf("%s, without any fault: %v", name, err)
				}
			}
			for _, p := range []*Proxy{toDB, toS3} {
				p.Set(f)
				if f.Refuse {
					p.CutAll()
				}
			}
			var all sync.WaitGroup
			for name, call := range calls {
				all.Go(func() {
					limit := 5 * patience
					if slices.Contains(batches, name) {
						limit = answer + time.Second
					}
					ctx, cancel := context.WithTimeout(t.Context(), limit)
					defer cancel()
					start := time.Now()
					if err := call(ctx); err == nil || contract(err) {
						t.Errorf("%s: %v", name, err)
					}
					if took := time.Since(start); took > patience {
						t.Errorf("%s took %s", name, took)
					}
				})
			}
			all.Wait()
			toDB.Set(Fault{})
			toS3.Set(Fault{})
			for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
				err := errors.Join(e.Materials.Ready(t.Context()), e.Blobs.Ready(t.Context()))
				if err == nil {
					break
				}
				if time.Now().After(end) {
					t.Fatalf("still not ready: %v", err)
				}
			}
		})
	}
}
