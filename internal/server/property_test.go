package server

import (
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sucai/wechat"
)

// Nearly each call waits for a disk, so there are fewer runs than rapid makes by itself.
func TestEveryAnswer(t *testing.T) {
	if runs := flag.Lookup("rapid.checks"); runs.Value.String() == runs.DefValue {
		must(t, runs.Value.Set("40"))
		defer runs.Value.Set(runs.DefValue)
	}
	rapid.Check(t, newWorld(t).session)
}

// session is one random run of four clients of two accounts.
func (w *world) session(t *rapid.T) {
	w.clock.Store(worldBegins)
	a, b := w.account(t), w.account(t)
	players := []*player{
		{own: a, host: "a.example"}, {own: b, host: "b.example"}, {own: a, host: "c.example"}, {own: a, host: "a.example"},
	}
	for _, p := range players {
		p.world, p.alone = w, true
	}
	as := func(p *player, t *rapid.T) *player {
		p.TB, p.roll = t, func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "roll") }
		return p
	}
	by := func(do func(p *player)) func(*rapid.T) {
		return func(t *rapid.T) { do(as(players[rapid.IntRange(0, len(players)-1).Draw(t, "client")], t)) }
	}
	t.Repeat(map[string]func(*rapid.T){
		"add_material": by((*player).addMaterial), "add_material again": by((*player).addMaterial), "bad upload": by((*player).badUpload),
		"media/upload": by((*player).mediaUpload), "media/get": by((*player).mediaGet),
		"uploadimg": by((*player).uploadImg), "browse": by((*player).browse),
		"add_news": by((*player).addNews), "bad news": by((*player).badNews),
		"update_news": by((*player).updateNews), "update_news again": by((*player).updateNews),
		"get_material": by((*player).getMaterial), "del_material": by((*player).delMaterial),
		"list": by((*player).list), "list again": by((*player).list), "bad list": by((*player).badList), "counts": by((*player).counts),
		"token": by((*player).plainToken), "force": by(func(p *player) { p.stableToken(true) }), "force often": by((*player).forceOften),
		"stable_token": by(func(p *player) { p.stableToken(false) }),
		"old token":    by((*player).oldToken), "bad credentials": by((*player).badCredentials),
		"another's id": by(func(p *player) {
			for _, other := range players {
				if other.own != p.own {
					for _, m := range other.own.all() {
						_, got := p.byID(pick(p, []string{"material/get_material", "material/del_material"}), m.id)
						p.wantError("of another account", got, wechat.ErrInvalidMediaID)
						return
					}
				}
			}
		}),
		"wait": by(func(p *player) {
			p.clock.Add(int64(pick(p, []int{1, 29, 30, 299, 300, 301, 3600, 6899, 6900, 3*24*3600 - 1})))
		}),
		"wait to the end": by((*player).waitToTheEnd),
		"tidy": by(func(p *player) {
			_, err := w.ls.Sweep(w.t.Context(), time.Now(), nil)
			if err = errors.Join(err, w.ls.Tidy(w.t.Context())); err != nil {
				p.Fatal(err)
			}
		}),
	})
	for _, p := range players[:2] {
		as(p, t).audit()
		if err := w.ls.RemoveAccount(w.t.Context(), p.own.appID); err != nil {
			t.Fatal(err)
		}
		_, got := p.send("GET", "/cgi-bin/material/get_materialcount?access_token="+p.token, "", nil)
		p.wantError("a removed account", got, wechat.ErrInvalidCredential)
	}
}

// Clients on one account at once, each with materials of its own: none sees anything but
// what was acknowledged to it, and the end is the union of what was acknowledged to all.
func TestEveryAnswerAtOnce(t *testing.T) {
	const clients, calls, contested = 4, 60, 8
	w := newWorld(t)
	account := w.account(t)
	player := func(t *testing.T, i int) *player {
		r := rand.New(rand.NewPCG(1, uint64(i)))
		return &player{TB: t, world: w, roll: r.IntN, host: "a.example",
			own: &modelAccount{appID: account.appID, secret: account.secret, listed: map[wechat.Type][]*modelMaterial{}}}
	}
	host := player(t, clients)
	for len(host.own.listed[wechat.Image]) < contested {
		host.add(modelFiles[0])
	}
	prizes := host.own.listed[wechat.Image]
	host.own.listed[wechat.Image] = nil
	shared := host.sharedNews(clients)
	players := make([]*modelAccount, clients)
	var won [contested]atomic.Int32
	t.Run("clients", func(t *testing.T) {
		for i := range clients {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				p := player(t, i)
				players[i] = p.own
				for n := range calls {
					p.act()
					p.updateShared(shared, i)
					if n%(calls/contested) == 0 {
						p.contest(prizes, &won)
					}
				}
				for range contested {
					p.contest(prizes, &won)
				}
			})
		}
	})
	for i := range won {
		if n := won[i].Load(); n > 1 {
			t.Errorf("%d clients deleted the same material", n)
		} else if n == 0 {
			host.own.listed[wechat.Image] = append(host.own.listed[wechat.Image], prizes[i])
		}
	}
	for _, own := range players {
		for _, typ := range wechat.Listed {
			host.own.listed[typ] = append(host.own.listed[typ], own.listed[typ]...)
		}
	}
	host.settle()
}

// act makes one random call of one that may be made beside others.
func (p *player) act() {
	if p.own.listed[wechat.News] == nil {
		p.addNews()
	}
	pick(p, []func(*player){
		(*player).addMaterial, (*player).addMaterial, (*player).badUpload, (*player).mediaUpload, (*player).mediaGet, (*player).uploadImg,
		(*player).browse, (*player).addNews, (*player).badNews, (*player).getMaterial, (*player).delMaterial, (*player).list, (*player).list,
		(*player).badList, (*player).counts, (*player).plainToken, (*player).badCredentials,
	})(p)
}

// glance looks at the first page while others change it. Who sees one of its own sees
// all of its own that are newer, as it left them.
func (p *player) glance(t wechat.Type) {
	got := p.post("material/batchget_material", map[string]any{"type": t, "offset": 0, "count": 20})
	p.learnItems(got)
	var page struct {
		Item  []json.RawMessage
		Total int `json:"total_count"`
	}
	if err := json.Unmarshal([]byte(got), &page); err != nil {
		p.Fatal(err)
	}
	own := slices.Clone(p.own.listed[t])
	slices.Reverse(own)
	seen := 0
	for _, raw := range page.Item {
		var item struct {
			ID string `json:"media_id"`
		}
		if err := json.Unmarshal(raw, &item); err != nil {
			p.Fatal(err)
		}
		if slices.ContainsFunc(p.own.dead, func(m *modelMaterial) bool { return m.id == item.ID }) {
			p.Fatalf("a deleted %s is listed: %s", t, raw)
		}
		if !slices.ContainsFunc(own, func(m *modelMaterial) bool { return m.id == item.ID }) {
			continue // another's
		}
		p.want("a list beside others", string(raw), own[seen].item(p.base()))
		seen++
	}
	if page.Total < len(own) || page.Total <= 20 && (seen < len(own) || len(page.Item) != page.Total) {
		p.Fatalf("%d of %d own among %d items of %d", seen, len(own), len(page.Item), page.Total)
	}
}

// sharedNews adds a news that has an article for each client.
func (p *player) sharedNews(n int) *modelMaterial {
	cover := p.cover()
	m := &modelMaterial{typ: wechat.News, created: p.now(), updated: p.now(), articles: make([]modelArticle, n)}
	sent := make([]map[string]any, n)
	for i := range sent {
		sent[i], m.articles[i] = p.newArticle(cover)
		m.articles[i].digest = ""
	}
	m.began = p.requests.Add(1)
	m.id = p.match("add_news", p.post("material/add_news", map[string]any{"articles": sent}), `\{"media_id":"([^"]*)"\}`)[0]
	p.keep(m)
	p.get(m)
	return m
}

// updateShared replaces a client's article in the news of all: no other's may be lost.
func (p *player) updateShared(m *modelMaterial, i int) {
	sent, a := p.newArticle(p.cover())
	got := p.post("material/update_news", map[string]any{"media_id": m.id, "index": i, "articles": sent})
	p.want("update_news beside others", got, `{"errcode":0,"errmsg":"ok"}`)
	a.digest, a.url = "", m.articles[i].url
	m.articles[i] = a
	var now struct {
		Item []json.RawMessage `json:"news_item"`
	}
	_, got = p.byID("material/get_material", m.id)
	if err := json.Unmarshal([]byte(got), &now); err != nil || len(now.Item) != len(m.articles) {
		p.Fatalf("%v in %s", err, got)
	}
	p.want("the article that was just written", string(now.Item[i]), a.body(p.base()))
}

// contest deletes what others delete too.
func (p *player) contest(prizes []*modelMaterial, won *[8]atomic.Int32) {
	i := p.roll(len(prizes))
	_, got := p.byID("material/del_material", prizes[i].id)
	if got == `{"errcode":0,"errmsg":"ok"}` {
		won[i].Add(1)
		return
	}
	p.wantError("del_material beside others", got, wechat.ErrInvalidMediaID)
}

// settle compares the account with the union of what clients left, in an order in which
// nothing that was acknowledged before another began stands as the newer of the two.
func (p *player) settle() {
	for _, t := range wechat.Listed {
		var order []*modelMaterial
		for offset := 0; ; offset += 20 {
			var page wechat.Page
			got := p.post("material/batchget_material", map[string]any{"type": t, "offset": offset, "count": 20})
			if err := json.Unmarshal([]byte(got), &page); err != nil {
				p.Fatal(err)
			}
			for _, item := range page.Item {
				i := slices.IndexFunc(p.own.listed[t], func(m *modelMaterial) bool { return m.id == item.MediaID })
				if i < 0 {
					p.Fatalf("nobody owns %s %s", t, item.MediaID)
				}
				order = append(order, p.own.listed[t][i])
			}
			if len(page.Item) == 0 {
				break
			}
		}
		if len(order) != len(p.own.listed[t]) {
			p.Fatalf("%d of type %s are listed, %d were acknowledged", len(order), t, len(p.own.listed[t]))
		}
		slices.Reverse(order)
		latest := int64(0) // began, of all that are older
		for _, m := range order {
			if latest > m.answer {
				p.Fatalf("%s %s was acknowledged before an older one began", t, m.id)
			}
			latest = max(latest, m.began)
		}
		p.own.listed[t] = order
	}
	p.alone = true
	p.audit()
}
