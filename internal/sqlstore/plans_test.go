package sqlstore_test

import (
	"database/sql"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"sucai/internal/library/storetest"
	"sucai/internal/sqlstore"
)

// No statement reads more than it gives, be its plan made for these arguments or for
// any: no scan of a table, no sorting (but of the few buckets of one range), no counting.
func TestPostgresPlans(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.Postgres(t), sqlstore.Server)
	for _, text := range []string{
		`insert into account (appid, uin, salt, hash, created, settings) select 'wx' || n, n, '', '', 0, '{}' from generate_series(1, 5000) n`,
		`insert into access_grant select sha256(n::text::bytea), n % 5000, n % 7 * (n % 300), 'token', n, n from generate_series(1, 20000) n`,
		`insert into counter select n, t, 1000, 1000 from generate_series(1, 2000) n, unnest(array['image', 'voice', 'video', 'news']) t`,
		`insert into calls select n % 2000, 'e' || n % 10, n / 1000, 1 from generate_series(1, 20000) n on conflict do nothing`,
		`insert into bucket select n % 20, 'image', 1, n / 20, 32 from generate_series(1, 20000) n`,
		`insert into material (account, media_id, type, number, name, introduction, key, blob, size, format, width, height, articles_format, created, updated, expires, version, articles)
			select n % 20, 'm' || n, case when n % 3 = 0 then 'news' else 'image' end, n, '', '', 'k' || n, 'b' || n, 1, 'png', 1, 1, 1, n, n, case when n % 100 = 0 then n else 0 end, 1, ''
			from generate_series(1, 60000) n`,
		`insert into cloud_env select 'env' || n, 'id' || n, '', '', n, '[]', n from generate_series(1, 5000) n`,
		`insert into cloud_allow select 'env' || n, n % 3000 from generate_series(1, 5000) n`,
		`insert into component (appid, salt, hash, created, settings, ticket, ticket_made, next_ticket) select 'wx' || n, '', '', 0, '{}', '', 0, n from generate_series(1, 5000) n`,
		`insert into component_authorization select c, n, '1', '', 0, 0 from generate_series(1, 5000) n, generate_series(10, 20) c`,
		`insert into component_code select sha256(n::text::bytea), n % 1000, 'preauth', 0, n from generate_series(1, 20000) n`,
		`insert into component_push (component, account, info_type, message, created, due) select 10 + n % 10, n % 50, 'image', '', n, case when n % 3 = 0 then n end from generate_series(1, 20000) n`,
		`analyze`,
	} {
		_, err := s.DB().Exec(text)
		must(t, err)
	}
	c, err := s.DB().Conn(t.Context())
	must(t, err)
	defer c.Close()
	for i, text := range sqlstore.Statements(false) {
		if strings.Contains(strings.ToLower(text), "count(") {
			t.Errorf("counts rows: %s", text)
		}
		_, err := c.ExecContext(t.Context(), fmt.Sprintf("prepare plan_%d as %s", i, text))
		must(t, err)
		var types string
		must(t, c.QueryRowContext(t.Context(), `select array_to_string(parameter_types, ',') from pg_prepared_statements where name = $1`, fmt.Sprintf("plan_%d", i)).Scan(&types))
		var args []string
		for _, name := range strings.Split(types, ",") {
			args = append(args, map[string]string{"text": "'image'", "bytea": `'\x00'`, "bigint": "15", "integer": "1", "boolean": "true"}[name])
		}
		execute := fmt.Sprintf("explain execute plan_%d", i)
		if types != "" {
			execute += "(" + strings.Join(args, ", ") + ")"
		}
		for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
			_, err := c.ExecContext(t.Context(), "set plan_cache_mode = "+mode)
			must(t, err)
			bad := regexp.MustCompile(`Seq Scan|Sort|Aggregate`)
			switch {
			case tidying.MatchString(text):
				bad = regexp.MustCompile(`Seq Scan|Sort`)
			case strings.HasPrefix(text, "select bucket"), strings.HasPrefix(text, "with l"):
				bad = regexp.MustCompile(`Seq Scan|Aggregate`)
			}
			_, err = c.ExecContext(t.Context(), fmt.Sprint("set enable_seqscan = ", !tidying.MatchString(text)))
			must(t, err)
			plan := explain(t, c, execute)
			if bad.MatchString(plan) {
				t.Errorf("%s, %s:\n%s", text, mode, plan)
			}
		}
	}
}

// What nodes have to tell each other stands in rows, and is locked by rows: engines that
// speak the protocol of PostgreSQL without being one know no more, nor do poolers.
func TestPlainSQL(t *testing.T) {
	beyond := regexp.MustCompile(`(?i)\b(notify|listen|pg_advisory|advisory|lock table|skip locked|create temp)\b`)
	if !beyond.MatchString("NOTIFY x") || len(sqlstore.AllStatements()) < 50 {
		t.Fatal("nothing is looked at")
	}
	for _, text := range sqlstore.AllStatements() {
		if beyond.MatchString(text) {
			t.Errorf("not what all share: %s", text)
		}
	}
}

func explain(t *testing.T, c *sql.Conn, text string) string {
	t.Helper()
	rows, err := c.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var line string
		must(t, rows.Scan(&line))
		plan.WriteString(line + "\n")
	}
	must(t, rows.Err())
	return plan.String()
}
