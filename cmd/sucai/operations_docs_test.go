package main

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sucai/internal/library/storetest"
	"sucai/wechat"
)

// guide is docs/operations.md.
func guide(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every sucai command that the guide and the example files name is one, with its flags.
func TestOperationsCommands(t *testing.T) {
	text := guide(t)
	for _, name := range []string{"compose.yaml", "sucai.service", "outgrown.conf", "nginx.conf"} {
		data, err := os.ReadFile("../../deploy/" + name)
		if err != nil {
			t.Fatal(err)
		}
		text += string(data)
	}
	lines := regexp.MustCompile(`(?:(?m:^)(?:\$ )?|/|`+"`"+`|-u sucai |node1 /)(sucai (?:account|backup|cloud|component|copy|restore|serve|sweep|verify|wait)\b[^`+"`"+`\n>|]*)`).FindAllStringSubmatch(text, -1)
	if len(lines) < 20 {
		t.Fatalf("only %d commands were found", len(lines))
	}
	for _, line := range lines {
		var args []string
		for _, word := range regexp.MustCompile(`'[^']*'|\S+`).FindAllString(line[1], -1)[1:] {
			args = append(args, strings.Trim(word, "'"))
		}
		cmd, rest, err := newRoot().Find(args)
		if err == nil {
			err = cmd.ParseFlags(rest)
		}
		if err != nil || cmd.HasSubCommands() && len(rest) > 0 {
			t.Errorf("%s: %v", line[1], err)
		}
	}
}

func demoClient(p *process) *wechat.Client {
	return &wechat.Client{Endpoint: p.endpoint, AppID: demoAppID, Secret: demoSecret}
}

// The guide's drills, on a served demo library, and its way to PostgreSQL and a bucket:
// what it says to run is run, and the server stopped where it says so.
func TestOperationsDrills(t *testing.T) {
	const name = "docs/operations.md"
	db, bucket := storetest.Postgres(t), storetest.S3(t)
	text := strings.NewReplacer("postgres://sucai@db.example.com/sucai", db, "s3://materials/sucai?region=eu-central-1", bucket).Replace(guide(t))
	dir := t.TempDir()
	must(t, demoData(binary(t), dir, "sucai-data"))
	p, err := startServer(binary(t), os.Environ(), dir, "--demo")
	must(t, err)
	defer p.kill()
	before := demoClient(p)
	want, err := before.GetMaterialCount(t.Context())
	must(t, err)
	token, err := before.StableToken(t.Context(), false)
	must(t, err)

	blocks := regexp.MustCompile("(?s)```console\n.*?```|Stop the server").FindAllString(text, -1)
	stopped := 0
	for _, block := range blocks {
		if block == "Stop the server" {
			stopped++
			must(t, p.stop())
			continue
		}
		transcript(t, name, strings.TrimSuffix(strings.TrimPrefix(block, "```console\n"), "```"), p.endpoint, dir)
	}
	if stopped != 1 || len(blocks) != 6 {
		t.Fatalf("%d blocks, the server is stopped %d times", len(blocks), stopped)
	}

	node, err := startServer(binary(t), append(os.Environ(), "SUCAI_DB="+db, "SUCAI_BLOBS="+bucket), t.TempDir())
	must(t, err)
	defer node.kill()
	after := demoClient(node)
	got, err := after.GetMaterialCount(t.Context())
	must(t, err)
	if *got != *want {
		t.Errorf("%+v after the move, %+v before", got, want)
	}
	if again, err := after.StableToken(t.Context(), false); err != nil || again.AccessToken != token.AccessToken {
		t.Errorf("the token is another than before the move (%v)", err)
	}
	must(t, node.stop())
}

// The partitions of the guide are what PostgreSQL makes of them, and take all rows.
func TestOperationsPartitions(t *testing.T) {
	address := storetest.Postgres(t)
	dir := t.TempDir()
	node, err := startServer(binary(t), append(os.Environ(), "SUCAI_DB="+address, "SUCAI_ACCOUNTS=wxone:s1"), dir, "--demo")
	must(t, err)
	must(t, node.stop())
	text := regexp.MustCompile("(?s)```sql\n(.*?)```").FindStringSubmatch(guide(t))
	if text == nil {
		t.Fatal("there are none")
	}
	db, err := sql.Open("pgx", address)
	must(t, err)
	defer db.Close()
	var rows, taken, parts int
	for _, statement := range append(strings.Split(strings.TrimSpace(text[1]), ";\n"), "insert into material_by_account select * from material") {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	must(t, db.QueryRow(`select (select count(*) from material), count(*), count(distinct tableoid) from material_by_account`).Scan(&rows, &taken, &parts))
	if rows < 60 || taken != rows || parts != 1 {
		t.Errorf("%d of %d rows, in %d partitions for one account", taken, rows, parts)
	}
	for _, statement := range []string{
		`select * from material_by_account where account = 1 and media_id = 'x'`,
		`delete from material_by_account where account = 1 and id = 1`,
	} {
		var plan strings.Builder
		lines, err := db.Query("explain " + statement)
		must(t, err)
		defer lines.Close()
		for lines.Next() {
			var line string
			must(t, lines.Scan(&line))
			plan.WriteString(line + "\n")
		}
		must(t, lines.Err())
		parts := regexp.MustCompile(`on material_by_account_\d`).FindAllString(plan.String(), -1)
		slices.Sort(parts)
		if len(slices.Compact(parts)) != 1 || !strings.Contains(plan.String(), "Index Scan") {
			t.Errorf("%s looks here:\n%s", statement, &plan)
		}
	}

	// With the new table in the place of the old, a node does all it did.
	for _, statement := range []string{"select setval('material_id', max(id)) from material", "alter table material rename to material_before", "alter table material_by_account rename to material"} {
		_, err := db.Exec(statement)
		must(t, err)
	}
	node, err = startServer(binary(t), append(os.Environ(), "SUCAI_DB="+address, "SUCAI_ACCOUNTS=wxone:s1"), dir)
	must(t, err)
	defer node.kill()
	c := demoClient(node)
	added, err := c.AddMaterial(t.Context(), wechat.Upload{Type: wechat.Image, Name: "a.png", Body: bytes.NewReader(fixtures[".png"])})
	must(t, err)
	for it, err := range c.All(t.Context(), wechat.Image) {
		must(t, err)
		if it.MediaID != added.MediaID {
			t.Errorf("%s is the latest, not %s", it.MediaID, added.MediaID)
		}
		break
	}
	must(t, c.DelMaterial(t.Context(), added.MediaID))
	if _, err := c.GetMaterial(t.Context(), added.MediaID); !errors.Is(err, wechat.ErrInvalidMediaID) {
		t.Errorf("what was deleted: %v", err)
	}
	must(t, node.stop())
}
