package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sucai/internal/library"
	"sucai/internal/metrics"
	"sucai/internal/server"
	"sucai/internal/sqlstore"
	"sucai/wechat"
)

type serveFlags struct {
	store           storeFlags
	listen, url     string
	wire            string
	trusted, caps   []string
	demo            bool
	requireHTTPS    bool
	tlsCert, tlsKey string
	container       trustedFlags
	logFormat       string
	drainDelay      time.Duration
	acceptCopy      bool
}

func newServe() *cobra.Command {
	f := &serveFlags{}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Run the server on one data directory, which is made where there is none; or with --db and
--blobs on a PostgreSQL database and a bucket.

The first line on standard output is "listening on http://HOST:PORT"; port 0 picks a
free one. Accounts are added by "sucai account add", while the server runs or not, or by
the environment: SUCAI_ACCOUNTS=appid:secret,.. creates those that are missing, and
SUCAI_COMPONENTS does so for third-party platforms. SUCAI_ADMIN_KEY, of 16 characters or
more, opens the metrics at /_sucai/metrics to who sends it as a Bearer token.

SIGTERM finishes what is under way, for at most 10 seconds; a second one ends at once.

` + storeHelp,
		Example: `  sucai serve --demo
  sucai serve --listen :8080 --data /var/lib/sucai --url https://material.example.com
  sucai serve --data /var/lib/sucai --blobs 's3://materials/sucai?endpoint=http://10.0.0.5:9000&region=us-east-1'
  sucai serve --db postgres://sucai@10.0.0.6/sucai --blobs 's3://materials/sucai?region=eu-central-1'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), cmd.OutOrStdout()) },
	}
	flags := cmd.Flags()
	f.store.add(flags)
	f.store.blobCache = 64 << 20
	flags.Var(&f.store.blobCache, "blob-cache", "memory for blobs of a bucket that are read often, up to 1 MB each; 0 for none")
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8080", "`address` to listen on")
	flags.StringVar(&f.wire, "wire", documentedWire, "answer as the documents say, or as the live service does: `documented or live`")
	flags.StringVar(&f.url, "url", "", "scheme and host of the addresses in answers (default: as each caller reached us)")
	flags.StringSliceVar(&f.trusted, "trust-proxy", nil, "`CIDR`s of proxies whose X-Forwarded-For and -Proto are believed")
	flags.BoolVar(&f.requireHTTPS, "require-https", false, "refuse calls over plain http with 43003, as the platform does")
	flags.BoolVar(&f.demo, "demo", false, "add a demo account with a demo library")
	flags.StringSliceVar(&f.caps, "caps", nil, "how many materials an account may have, such as `image=100000,voice=1000`")
	flags.StringVar(&f.tlsCert, "tls-cert", "", "`file` of the certificate chain; serves https, read again when it changes")
	flags.StringVar(&f.tlsKey, "tls-key", "", "`file` of the certificate's key")
	f.container.add(flags)
	flags.StringVar(&f.logFormat, "log-format", textLog, "write the log on standard error as `text or json`")
	flags.DurationVar(&f.drainDelay, "drain-delay", 0, "on SIGTERM, go on to take calls for this `time` while not ready, until balancers have seen it")
	flags.BoolVar(&f.acceptCopy, "accept-unfinished-copy", false, "serve a copy that broke off and whose source is gone for good: what was not copied is missing")
	return cmd
}

func (f *serveFlags) run(ctx context.Context, stdout io.Writer) (err error) {
	opt, caps, err := f.options()
	if err != nil {
		return err
	}
	if err := f.container.check(); err != nil {
		return err
	}
	if err := setLog(f.logFormat); err != nil {
		return err
	}
	var keys *keyPair
	if f.tlsCert != "" || f.tlsKey != "" {
		if keys, err = loadKeyPair(f.tlsCert, f.tlsKey); err != nil {
			return err
		}
	}
	if f.requireHTTPS && f.tlsCert == "" && len(f.trusted) == 0 {
		slog.Warn("every call will be refused: with --require-https, --tls-cert or a proxy of --trust-proxy is needed")
	}
	if f.acceptCopy {
		if err := f.store.acceptCopy(ctx); err != nil {
			return brokenOff(ctx, err)
		}
	}
	opt.Metrics = metrics.New(programVersion())
	f.store.metrics = opt.Metrics
	ls, closeStore, err := f.store.open(ctx, sqlstore.Server, library.Options{Caps: caps})
	if err != nil {
		return brokenOff(ctx, err)
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	trusted, err := f.container.open(ctx, ls)
	if err != nil {
		return brokenOff(ctx, err)
	}
	if trusted != nil {
		defer trusted.Close()
	}
	listener, address, err := f.start(ctx, ls, keys, stdout)
	if err != nil {
		return brokenOff(ctx, err)
	}
	defer listener.Close()
	api := server.New(ls, opt)
	sites := []site{{api.HTTP(), listener}}
	sites[0].server.Handler = withCloudCalls(api, ls)
	if trusted != nil {
		fmt.Fprintf(stdout, "trusted=%s\n", trustedAddress(trusted))
		sites = append(sites, f.container.site(trusted, ls, api, address))
	}
	return serve(ctx, sites, ls, ending{api.End, f.drainDelay})
}

// brokenOff makes a success of a start that failed because it was told to end: the next
// one finishes it.
func brokenOff(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	slog.Info("ended while starting", "broken off", err)
	return nil
}

// start prepares the store and the listener, and says where the server is reached.
func (f *serveFlags) start(ctx context.Context, ls *library.Libraries, keys *keyPair, stdout io.Writer) (_ net.Listener, address string, err error) {
	if err := addAccounts(ctx, ls, os.Getenv("SUCAI_ACCOUNTS")); err != nil {
		return nil, "", err
	}
	if err := addComponents(ctx, ls, os.Getenv("SUCAI_COMPONENTS")); err != nil {
		return nil, "", err
	}
	listener, err := net.Listen("tcp", f.listen)
	if err != nil {
		return nil, "", fmt.Errorf("--listen: %w", err)
	}
	defer func() {
		if err != nil {
			listener.Close()
		}
	}()
	address = (&url.URL{Scheme: "http", Host: listener.Addr().String()}).String()
	if keys != nil {
		address = "https" + strings.TrimPrefix(address, "http")
		listener = tls.NewListener(listener, keys.config())
	}
	if f.demo {
		if err := importDemo(ctx, ls); err != nil {
			return nil, "", fmt.Errorf("demo library: %w", err)
		}
	}
	return listener, reachable(address), f.greet(ctx, stdout, ls, address)
}

// options reads what the flags say of the server and of libraries.
func (f *serveFlags) options() (opt server.Options, caps library.Caps, err error) {
	if !isWire(f.wire) {
		return opt, nil, usagef("--wire %q: %s or %s is wanted", f.wire, documentedWire, liveWire)
	}
	if f.url != "" {
		if opt.URL, err = ownURL(f.url); err != nil {
			return opt, nil, err
		}
	}
	if f.drainDelay < 0 {
		return opt, nil, usagef("--drain-delay %s: a time such as 5s is wanted", f.drainDelay)
	}
	if opt.AdminKey, err = adminKey(os.Getenv(adminVariable)); err != nil {
		return opt, nil, err
	}
	opt.RequireHTTPS, opt.Live = f.requireHTTPS, f.wire == liveWire
	for _, text := range f.trusted {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			addr, err := netip.ParseAddr(text)
			if err != nil {
				return opt, nil, usagef("--trust-proxy %q: an address or a CIDR such as 10.0.0.0/8 is wanted", text)
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		opt.TrustedProxies = append(opt.TrustedProxies, prefix)
	}
	caps = library.DefaultCaps()
	for _, text := range f.caps {
		name, value, _ := strings.Cut(text, "=")
		n, err := strconv.ParseInt(value, 10, 64)
		if t := wechat.Type(name); err != nil || n < 1 || !t.IsListed() {
			return opt, nil, usagef("--caps %q: image, voice, video or news, = and a number above 0 are wanted", text)
		}
		caps[wechat.Type(name)] = n
	}
	return opt, caps, nil
}

// ownURL reads --url, by which callers reach us.
func ownURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err == nil && u.User != nil {
		// Not shown: it may hold a password. Every answer would hold it too.
		return "", usagef("--url: a scheme and a host are wanted, without a user, such as https://material.example.com")
	}
	if err != nil || !isEndpoint(text) || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return "", usagef("--url %q: a scheme and a host are wanted, such as https://material.example.com", text)
	}
	return u.Scheme + "://" + u.Host, nil
}

// greet says where the server is and how to begin. The first line is for scripts; behind
// it nothing can fail any more.
func (f *serveFlags) greet(ctx context.Context, stdout io.Writer, ls *library.Libraries, address string) error {
	if err := f.warnOfDemo(ctx, ls, address); err != nil {
		return err
	}
	list, err := ls.Accounts.AccountList(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "listening on %s\n", address)
	if f.demo {
		printDemo(stdout, reachable(address))
	} else if len(list) == 0 {
		slog.Info("there is no account yet: add one by `sucai account add`, or start with --demo")
	}
	return nil
}

// warnOfDemo warns where strangers may reach an account whose secret everybody knows,
// be it of this start or of an earlier one with --demo.
func (f *serveFlags) warnOfDemo(ctx context.Context, ls *library.Libraries, address string) error {
	if u, err := url.Parse(address); err == nil && isLoopback(u.Hostname()) {
		return nil
	}
	a, err := ls.Accounts.Account(ctx, demoAppID)
	if errors.Is(err, library.ErrNotFound) {
		return nil
	}
	if err == nil && a.HasSecret(demoSecret) {
		slog.Warn("the demo account's secret is public: whoever reaches this address can read and change the demo library; `sucai account rotate` gives it another",
			"appid", demoAppID, "listen", f.listen)
	}
	return err
}

// reachable replaces an address that stands for all of them by one that can be called.
func reachable(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && ip.IsUnspecified() {
		u.Host = net.JoinHostPort("127.0.0.1", u.Port())
	}
	return u.String()
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// addAccounts creates the accounts of appid:secret,.. that are missing.
func addAccounts(ctx context.Context, ls *library.Libraries, list string) error {
	return eachPair("SUCAI_ACCOUNTS", list, func(appID, secret string) (same bool, err error) {
		_, _, err = ls.NewAccount(ctx, appID, secret)
		if !errors.Is(err, library.ErrExists) {
			return true, err
		}
		a, err := ls.Accounts.Account(ctx, appID)
		return err == nil && a.HasSecret(secret), err
	})
}

// eachPair calls add with each appid and secret of a variable, and warns where the store
// has another secret.
func eachPair(variable, list string, add func(appID, secret string) (same bool, err error)) error {
	for i, pair := range strings.Split(list, ",") {
		pair = strings.TrimSpace(pair)
		if pair == "" {
			continue
		}
		appID, secret, ok := strings.Cut(pair, ":")
		if !ok || appID == "" || secret == "" {
			return usagef("%s: entry %d: appid:secret,.. is wanted", variable, i+1)
		}
		same, err := add(appID, secret)
		if errors.Is(err, library.ErrAppIDForm) { // its text is left out: it may be a secret in the wrong place
			return usagef("%s: entry %d: %w", variable, i+1, library.ErrAppIDForm)
		}
		if err != nil {
			return fmt.Errorf("%s: entry %d: %w", variable, i+1, err)
		}
		if !same {
			slog.Warn(variable+" has another secret than the store, which stays as it is", "appid", appID)
		}
	}
	return nil
}
