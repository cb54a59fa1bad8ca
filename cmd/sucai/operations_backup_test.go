package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"sucai/internal/library/storetest"
	"sucai/wechat"
)

// aws does what the guide asks of aws: s3 sync s3://BUCKET/PREFIX s3://BUCKET/PREFIX.
func aws() {
	if err := awsS3(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "aws:", err)
		os.Exit(1)
	}
}

// awsS3 knows "s3 sync FROM TO [--exclude NAME]" and "s3 cp - TO".
func awsS3(ctx context.Context, args []string) error {
	exclude := ""
	if len(args) == 6 && args[4] == "--exclude" {
		exclude, args = args[5], args[:4]
	}
	copies := slices.Equal(args[:min(3, len(args))], []string{"s3", "cp", "-"})
	if len(args) != 4 || !copies && (args[0] != "s3" || args[1] != "sync") {
		return fmt.Errorf("%q is not known", args)
	}
	from, err := url.Parse(args[2])
	if err != nil {
		return err
	}
	to, err := url.Parse(args[3])
	if err != nil {
		return err
	}
	endpoint, err := url.Parse(os.Getenv("AWS_ENDPOINT_URL"))
	if err != nil {
		return err
	}
	c, err := minio.New(endpoint.Host, &minio.Options{Creds: credentials.NewEnvAWS(), Secure: endpoint.Scheme == "https", Region: "us-east-1"})
	if err != nil {
		return err
	}
	if copies {
		text, err := io.ReadAll(os.Stdin)
		if err == nil {
			_, err = c.PutObject(ctx, to.Host, strings.TrimPrefix(to.Path, "/"), bytes.NewReader(text), int64(len(text)), minio.PutObjectOptions{})
		}
		return err
	}
	have := map[string]bool{exclude: true}
	list := func(at *url.URL, each func(rest, key string) error) error {
		prefix := strings.TrimPrefix(at.Path, "/") + "/"
		for o := range c.ListObjectsIter(ctx, at.Host, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
			if o.Err != nil {
				return o.Err
			}
			if err := each(strings.TrimPrefix(o.Key, prefix), o.Key); err != nil {
				return err
			}
		}
		return nil
	}
	if err := list(to, func(rest, _ string) error { have[rest] = true; return nil }); err != nil {
		return err
	}
	return list(from, func(rest, key string) error {
		if have[rest] {
			return nil
		}
		o, err := c.GetObject(ctx, from.Host, key, minio.GetObjectOptions{})
		if err != nil {
			return err
		}
		defer o.Close()
		info, err := o.Stat()
		if err == nil {
			_, err = c.PutObject(ctx, to.Host, strings.TrimPrefix(to.Path, "/")+"/"+rest, o, info.Size, minio.PutObjectOptions{})
		}
		return err
	})
}

// newDatabases gives the address, without the database, of a PostgreSQL on which a test
// makes databases of its own, by the names that it is given. They go when it ends.
func newDatabases(t *testing.T, names ...string) string {
	t.Helper()
	storetest.Postgres(t) // skips or fails where there is none
	admin := os.Getenv("TEST_POSTGRES_URL")
	if admin == "" {
		server, err := storetest.StartedPostgres()
		must(t, err)
		admin = server.URL
	}
	u, err := url.Parse(admin)
	must(t, err)
	db, err := sql.Open("pgx", admin)
	must(t, err)
	t.Cleanup(func() {
		for _, name := range names {
			if _, err := db.Exec(`drop database if exists ` + name + ` with (force)`); err != nil {
				t.Error(err)
			}
		}
		db.Close()
	})
	t.Setenv("PGHOST", u.Hostname())
	t.Setenv("PGPORT", u.Port())
	t.Setenv("PGUSER", u.User.Username())
	if password, ok := u.User.Password(); ok {
		t.Setenv("PGPASSWORD", password)
	}
	t.Setenv("PGSSLMODE", u.Query().Get("sslmode"))
	return "postgres://" + u.User.Username() + "@" + u.Host
}

// A backup of PostgreSQL and a bucket as in the guide, while clients work, and its
// restore: what the dump names is there, whatever came and went meanwhile.
func TestOperationsBackup(t *testing.T) {
	for _, program := range []string{"pg_dump", "pg_restore", "createdb", "psql"} {
		if _, err := exec.LookPath(program); err != nil {
			storetest.Missing(t, err)
		}
	}
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(guide(t), -1)
	if len(blocks) != 2 {
		t.Fatalf("%d blocks", len(blocks))
	}
	suffix := fmt.Sprint("_", os.Getpid())
	server := newDatabases(t, "sucai"+suffix, "restored"+suffix)
	place, query, _ := strings.Cut(storetest.S3(t), "?")
	at, err := url.ParseQuery(query)
	must(t, err)
	t.Setenv("AWS_ENDPOINT_URL", at.Get("endpoint"))
	db, bucket := server+"/sucai"+suffix, place+"/live?"+query
	ours := strings.NewReplacer("postgres://sucai@db.example.com/sucai", db, "postgres://sucai@db.example.com/restored", server+"/restored"+suffix,
		"--template=template0 restored", "--template=template0 restored"+suffix,
		"s3://materials/restored?region=eu-central-1", place+"/restored?"+query,
		"s3://materials-backup/sucai", place+"/backup", "s3://materials/restored", place+"/restored", "s3://materials/sucai", place+"/live")
	dir := t.TempDir()
	run := func(line string) string {
		t.Helper()
		cmd := exec.Command("sh", "-c", ours.Replace(line))
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		return string(out)
	}
	run("createdb --encoding=UTF8 --template=template0 sucai" + suffix)
	p, err := startServer(binary(t), append(os.Environ(), "SUCAI_DB="+db, "SUCAI_BLOBS="+bucket), t.TempDir(), "--demo")
	must(t, err)
	defer p.kill()
	c := demoClient(p)
	add := func() string {
		added, err := c.AddMaterial(t.Context(), wechat.Upload{Type: wechat.Image, Name: "a.png", Body: bytes.NewReader(fixtures[".png"])})
		must(t, err)
		return added.MediaID
	}

	var between, last string // an upload after the first copy of the bucket, and one after the dump
	for line := range strings.Lines(blocks[0][1]) {
		run(line)
		if between == "" {
			between = add()
		} else if last == "" {
			must(t, c.DelMaterial(t.Context(), between))
			last = add()
		}
	}
	must(t, p.stop())
	out := ""
	for line := range strings.Lines(blocks[1][1]) {
		out = run(line)
	}
	if !regexp.MustCompile(`(?m)^materials=61$(.|\n)*^missing=0$`).MatchString(out) {
		t.Errorf("verify: %s", out)
	}
	// Neither database takes the blobs of the other for its own.
	for _, wrong := range [][]string{
		{"SUCAI_DB=" + server + "/restored" + suffix, "SUCAI_BLOBS=" + bucket},
		{"SUCAI_DB=" + db, "SUCAI_BLOBS=" + place + "/restored?" + query},
	} {
		cmd := exec.Command(binary(t), "serve", "--listen", "127.0.0.1:0")
		cmd.Env, cmd.Dir = append(os.Environ(), wrong...), t.TempDir()
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "belong to another database") {
			t.Errorf("%s: %v\n%s", wrong, err, out)
		}
	}
	restored, err := startServer(binary(t), append(os.Environ(), "SUCAI_DB="+server+"/restored"+suffix, "SUCAI_BLOBS="+place+"/restored?"+query), t.TempDir())
	must(t, err)
	defer restored.kill()
	c = demoClient(restored)
	m, err := c.GetMaterial(t.Context(), between)
	must(t, err)
	must(t, m.File.Body.Close())
	if _, err := c.GetMaterial(t.Context(), last); !errors.Is(err, wechat.ErrInvalidMediaID) {
		t.Errorf("what came after the dump: %v", err)
	}
	must(t, restored.stop())
}
