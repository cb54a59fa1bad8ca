package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"sucai/internal/library"
	"sucai/internal/metrics"
)

// away is why a store is not there, nil where it is.
type away struct{ reason error }

type awayDatabase struct {
	library.Materials
	away *away
}

func (d awayDatabase) Ready(context.Context) error { return d.away.reason }

type awayBlobs struct {
	library.Blobs
	away *away
}

func (b awayBlobs) Ready(context.Context) error { return b.away.reason }

// Which store is away is told, and no more than that; the log knows why, and has it when
// it changes. That the process is alive does not depend on stores.
func TestReadyTellsWhich(t *testing.T) {
	f := newFixture(t)
	database, blobs := &away{}, &away{}
	f.server.libraries.Materials, f.server.libraries.Blobs = awayDatabase{f.ls.Materials, database}, awayBlobs{f.ls.Blobs, blobs}
	reason := errors.New("dial tcp 10.0.0.6:5432: user=sucai password=hunter2")
	for _, c := range []struct {
		database, blobs error
		status          int
		body            string
	}{
		{nil, nil, 200, `{"status":"ok","database":"ok","blobs":"ok"}`},
		{reason, nil, 503, `{"status":"unavailable","database":"unavailable","blobs":"ok"}`},
		{reason, nil, 503, `{"status":"unavailable","database":"unavailable","blobs":"ok"}`},
		{nil, reason, 503, `{"status":"unavailable","database":"ok","blobs":"unavailable"}`},
		{reason, reason, 503, `{"status":"unavailable","database":"unavailable","blobs":"unavailable"}`},
		{nil, nil, 200, `{"status":"ok","database":"ok","blobs":"ok"}`},
	} {
		database.reason, blobs.reason = c.database, c.blobs
		res, data := f.do("GET", "/_sucai/ready", "", nil)
		if res.StatusCode != c.status || string(data) != c.body || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%v, %v: %s %s", c.database, c.blobs, res.Status, data)
		}
		res, data = f.do("GET", "/_sucai/health", "", nil)
		if res.StatusCode != 200 || string(data) != `{"status":"ok"}` {
			t.Errorf("health: %s %s", res.Status, data)
		}
	}
	f.server.End()
	if res, data := f.do("GET", "/_sucai/ready", "", nil); res.StatusCode != 503 || string(data) != `{"status":"ending"}` {
		t.Errorf("at the end: %s %s", res.Status, data)
	}
	log := f.log.String()
	if not, again := strings.Count(log, `level=ERROR msg="not ready"`), strings.Count(log, `msg="ready again"`); not != 3 || again != 1 || !strings.Contains(log, "10.0.0.6") {
		t.Errorf("%d times not ready, %d times again:\n%s", not, again, log)
	}
}

// The figures are for those who have the key.
func TestMetricsAreClosed(t *testing.T) {
	const key = "0123456789abcdef!"
	open := newFixture(t, func(_ *library.Options, so *Options) { so.AdminKey = key })
	closed := newFixture(t)
	for _, c := range []struct {
		on      *fixture
		method  string
		headers []string
		status  int
	}{
		{open, "GET", []string{"Bearer " + key}, 200},
		{open, "HEAD", []string{"bearer " + key}, 200},
		{open, "GET", nil, 401},
		{open, "GET", []string{""}, 401},
		{open, "GET", []string{"Bearer "}, 401},
		{open, "GET", []string{"Bearer " + key[:16]}, 401},
		{open, "GET", []string{"Bearer " + key + "x"}, 401},
		{open, "GET", []string{"Basic " + key}, 401},
		{open, "GET", []string{key}, 401},
		{open, "GET", []string{"Basic x", "Bearer " + key}, 401},
		{open, "POST", []string{"Bearer " + key}, 405},
		{closed, "GET", nil, 404},
		{closed, "GET", []string{""}, 404},
		{closed, "GET", []string{"Bearer "}, 404},
		{closed, "GET", []string{"Bearer " + key}, 404},
	} {
		what := fmt.Sprintf("%s %q", c.method, c.headers)
		req, err := http.NewRequest(c.method, c.on.base+"/_sucai/metrics?key="+key+"&access_token="+key, nil)
		must(t, err)
		req.Header["Authorization"] = c.headers
		res, data := c.on.send(req)
		if res.StatusCode != c.status || (res.Header.Get("Www-Authenticate") != "") != (c.status == 401) {
			t.Errorf("%s: %s %v", what, res.Status, res.Header)
		}
		if shows := bytes.Contains(data, []byte("sucai_")); shows != (c.status == 200 && c.method == "GET") || bytes.Contains(data, []byte(key)) {
			t.Errorf("%s: %.200s", what, data)
		}
	}
	for _, f := range []*fixture{open, closed} {
		if strings.Contains(f.log.String(), key) {
			t.Error("the key is in the log")
		}
	}
}

// scrape gives the figures of a server as text.
func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	all, err := m.Gatherer().Gather()
	must(t, err)
	var out strings.Builder
	for _, family := range all {
		for _, one := range family.GetMetric() {
			fmt.Fprintf(&out, "%s", family.GetName())
			for _, l := range one.GetLabel() {
				fmt.Fprintf(&out, " %s=%s", l.GetName(), l.GetValue())
			}
			fmt.Fprintf(&out, " %v\n", one.GetCounter().GetValue()+one.GetGauge().GetValue()+float64(one.GetHistogram().GetSampleCount()))
		}
	}
	return out.String()
}

// What callers do is counted, under names that they cannot make up.
func TestRequestsAreCounted(t *testing.T) {
	m := metrics.New("x")
	f := newFixture(t, func(_ *library.Options, so *Options) { so.Metrics = m })
	data := padded(2000)
	f.add("image", "a.png", pngBytes(700, 10))
	id := f.add("image", "a.png", data)
	for range 4 {
		f.call("material/get_material", `{"media_id":"`+id+`"}`)
	}
	f.call("material/get_material", `{"media_id":"none"}`)
	f.call("material/get_material", `{"media_id":"none"}`)
	for i := range 20 {
		f.do("GET", fmt.Sprintf("/cgi-bin/nothing/%d", i), "", nil)
		f.do(fmt.Sprintf("VERB%d", i), fmt.Sprintf("/mmbiz_png/%d/0", i), "", nil)
	}
	page := f.call("material/batchget_material", `{"type":"image","offset":1,"count":1}`)
	address := strings.TrimPrefix(strings.Split(strings.SplitAfter(page, `"url":"`)[1], `"`)[0], f.base)
	_, small := f.do("GET", strings.Replace(address, "/0?", "/640?", 1), "", nil)
	f.do("GET", strings.Replace(address, "/0?", "/640?", 1), "", nil)
	f.do("HEAD", address, "", nil)
	f.do("GET", "/mmbiz_png/none/0", "", nil)
	f.do("GET", "/s?__biz=none", "", nil)
	f.do("GET", "/", "", nil)
	must(t, f.ls.SetAccount(t.Context(), f.account.AppID, func(s *library.Settings) error { return s.Set("quota.get_materialcount", "1") }))
	f.call("material/get_materialcount", "")
	f.call("material/get_materialcount", "")
	_, err := f.ls.Sweep(t.Context(), f.now, nil)
	must(t, err)
	got := scrape(t, m)
	for _, want := range []string{
		"sucai_requests_total endpoint=get_material errcode=0 4",
		"sucai_requests_total endpoint=get_material errcode=40007 2",
		"sucai_requests_total endpoint=add_material errcode=0 2",
		"sucai_requests_total endpoint=token errcode=0 1",
		"sucai_requests_total endpoint=get_materialcount errcode=45009 1",
		"sucai_requests_total endpoint=component/api_component_token errcode=0 0",
		"sucai_requests_total endpoint=other errcode=40066 20",
		"sucai_quota_rejections_total 1",
		"sucai_request_duration_seconds endpoint=get_material 6",
		fmt.Sprintf("sucai_received_bytes_total endpoint=get_material %d", 4*len(`{"media_id":"`+id+`"}`)+2*len(`{"media_id":"none"}`)),
		fmt.Sprintf("sucai_sent_bytes_total endpoint=get_material %d", 4*len(data)+2*len(`{"errcode":40007,"errmsg":"invalid media_id"}`)),
		"sucai_public_requests_total address=picture status=2xx 3",
		"sucai_public_requests_total address=picture status=4xx 21",
		"sucai_public_requests_total address=article status=4xx 1",
		"sucai_public_requests_total address=index status=2xx 1",
		"sucai_public_request_duration_seconds address=picture 24",
		"sucai_cache_hits_total cache=pictures 1",
		"sucai_cache_misses_total cache=pictures 1",
		fmt.Sprintf("sucai_cache_bytes cache=pictures %d", len(small)+512),
		"sucai_sweeps_total outcome=ok 1",
		"sucai_sweeps_total outcome=error 0",
		fmt.Sprintf("sucai_sweep_last_success_timestamp_seconds %v", float64(f.now.Unix())),
		"sucai_memory_held_bytes 0",
		"sucai_memory_budget_bytes " + fmt.Sprint(float64(memoryBudget)),
		"sucai_broken_answers_total 0",
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("not there: %s", want)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
	if strings.Contains(got, "VERB") || strings.Contains(got, "nothing") {
		t.Error("a caller's word became a label")
	}
}

// What is held of the memory budget is shown while it is.
func TestMemoryIsShown(t *testing.T) {
	m := metrics.New("x")
	f := newFixture(t, func(_ *library.Options, so *Options) { so.Metrics = m })
	h := hold{server: f.server, ctx: t.Context()}
	must(t, h.room(1<<20))
	if want := "sucai_memory_held_bytes " + fmt.Sprint(float64(copies<<20)); !strings.Contains(scrape(t, m), want) {
		t.Errorf("not there: %s", want)
	}
	h.release()
	if !strings.Contains(scrape(t, m), "sucai_memory_held_bytes 0\n") {
		t.Error("something is held")
	}
}

// breaking are blobs whose connection breaks while they are read.
type breaking struct{ library.Blobs }

func (b breaking) Open(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	r, err := b.Blobs.Open(ctx, name, offset, length)
	reset := &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(io.LimitReader(r, length/2), iotest.ErrReader(reset)), r}, err
}

// Trouble with a store is in the log as trouble, though it looks like that of a client's
// connection.
func TestBrokenStoreIsOurs(t *testing.T) {
	m := metrics.New("x")
	log := &lockedBuffer{}
	f := newFixture(t, func(_ *library.Options, so *Options) { so.Metrics, so.Log = m, slog.New(slog.NewTextHandler(log, nil)) })
	id := f.add("image", "a.png", padded(100<<10))
	f.server.libraries.Blobs = breaking{f.ls.Blobs}
	res, err := http.Post(f.base+f.at("material/get_material"), "", strings.NewReader(`{"media_id":"`+id+`"}`))
	if err == nil {
		_, err = new(bytes.Buffer).ReadFrom(res.Body)
		res.Body.Close()
	}
	if err == nil {
		t.Error("a short body looks whole")
	}
	if got := scrape(t, m); !strings.Contains(got, "sucai_broken_answers_total 1\n") {
		t.Error(got)
	}
	if !strings.Contains(log.String(), "level=ERROR msg=call") || !strings.Contains(log.String(), "connection reset") {
		t.Errorf("the log has\n%s", log)
	}
}

// What a server does by itself is counted too: messages to platforms, and sweeps.
func TestWorkIsCounted(t *testing.T) {
	m := metrics.New("x")
	f := newFixture(t, func(_ *library.Options, so *Options) { so.Metrics = m })
	answer := "success"
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, answer) }))
	t.Cleanup(receiver.Close)
	_, _, err := f.ls.NewComponent(t.Context(), "wxplatform", "platform-secret")
	must(t, err)
	must(t, f.ls.SetComponent(t.Context(), "wxplatform", func(s *library.ComponentSettings) error {
		return errors.Join(s.Set("token", "messagetoken"), s.Set("aes_key", strings.Repeat("a", 43)), s.Set("push_url", receiver.URL))
	}))
	for range 3 {
		must(t, f.ls.PushTicket(t.Context(), receiver.Client(), "wxplatform"))
	}
	answer = "no"
	var refused *library.NotPushed
	if err := f.ls.PushTicket(t.Context(), receiver.Client(), "wxplatform"); !errors.As(err, &refused) {
		t.Errorf("a platform that refuses: %v", err)
	}

	b, err := f.ls.Blobs.Put(t.Context(), strings.NewReader("x"), func(io.ReaderAt, int64) error { return nil })
	must(t, err)
	swept, err := f.ls.Sweep(t.Context(), time.Now().Add(time.Hour), nil)
	if err != nil || swept != 1 {
		t.Errorf("%d of %v swept: %v", swept, b, err)
	}
	left, leave := context.WithCancel(t.Context())
	leave()
	if _, err := f.ls.Sweep(left, time.Now(), nil); err == nil {
		t.Error("a sweep went to its end though it was ended")
	} // another goes on with it: it counts as none
	got := scrape(t, m)
	for _, want := range []string{
		"sucai_platform_pushes_total outcome=delivered 3", "sucai_platform_pushes_total outcome=failed 1",
		"sucai_sweeps_total outcome=ok 1", "sucai_sweeps_total outcome=error 0", "sucai_swept_blobs_total 1",
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("not there: %s", want)
		}
	}
}
