package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sucai/internal/library"
	"sucai/internal/server"
	"sucai/internal/sqlstore"
	"sucai/wechat"
)

type serveFlags struct {
	store           storeFlags
	listen, url     string
	trusted, caps   []string
	demo            bool
	tlsCert, tlsKey string
}

// drainTime is how long a server that is told to end waits for what is under way.
const drainTime = 10 * time.Second

func newServe() *cobra.Command {
	f := &serveFlags{}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Run the server on one data directory, which is made where there is none.

The first line on standard output is "listening on http://HOST:PORT"; port 0 picks a
free one. Accounts are added by "sucai account add", while the server runs or not, or by
the environment: SUCAI_ACCOUNTS=appid:secret,.. creates those that are missing.`,
		Example: `  sucai serve --demo
  sucai serve --listen :8080 --data /var/lib/sucai --url https://material.example.com`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), cmd.OutOrStdout()) },
	}
	flags := cmd.Flags()
	f.store.add(flags)
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8080", "`address` to listen on")
	flags.StringVar(&f.url, "url", "", "scheme and host of the addresses in answers (default: as each caller reached us)")
	flags.StringSliceVar(&f.trusted, "trust-proxy", nil, "`CIDR`s of proxies whose X-Forwarded-For and -Proto are believed")
	flags.BoolVar(&f.demo, "demo", false, "add a demo account with a demo library")
	flags.StringSliceVar(&f.caps, "caps", nil, "how many materials an account may have, such as `image=100000,voice=1000`")
	flags.StringVar(&f.tlsCert, "tls-cert", "", "`file` of the certificate chain; serves https, read again when it changes")
	flags.StringVar(&f.tlsKey, "tls-key", "", "`file` of the certificate's key")
	return cmd
}

func (f *serveFlags) run(ctx context.Context, stdout io.Writer) (err error) {
	opt, caps, err := f.options()
	if err != nil {
		return err
	}
	var keys *keyPair
	if f.tlsCert != "" || f.tlsKey != "" {
		if keys, err = loadKeyPair(f.tlsCert, f.tlsKey); err != nil {
			return err
		}
	}
	ls, closeStore, err := f.store.open(ctx, sqlstore.Server, library.Options{Caps: caps})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	if err := addAccounts(ctx, ls, os.Getenv("SUCAI_ACCOUNTS")); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", f.listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	defer listener.Close()
	address := (&url.URL{Scheme: "http", Host: listener.Addr().String()}).String()
	if keys != nil {
		address = "https" + strings.TrimPrefix(address, "http")
		listener = tls.NewListener(listener, keys.config())
	}
	if f.demo {
		if err := importDemo(ctx, ls); err != nil {
			return fmt.Errorf("demo library: %w", err)
		}
	}
	if err := f.greet(ctx, stdout, ls, address); err != nil {
		return err
	}
	return serve(ctx, server.New(ls, opt).HTTP(), listener, ls)
}

// options reads what the flags say of the server and of libraries.
func (f *serveFlags) options() (opt server.Options, caps library.Caps, err error) {
	if f.url != "" {
		u, err := url.Parse(f.url)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
			return opt, nil, usagef("--url %q: a scheme and a host are wanted, such as https://material.example.com", f.url)
		}
		opt.URL = u.Scheme + "://" + u.Host
	}
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

// greet says where the server is and how to begin. The first line is for scripts.
func (f *serveFlags) greet(ctx context.Context, stdout io.Writer, ls *library.Libraries, address string) error {
	fmt.Fprintf(stdout, "listening on %s\n", address)
	if f.demo {
		if host, _, _ := net.SplitHostPort(f.listen); !isLoopback(host) {
			slog.Warn("the demo account's secret is public: whoever reaches this address can read and change the demo library", "listen", f.listen)
		}
		printDemo(stdout, reachable(address))
		return nil
	}
	list, err := ls.Accounts.AccountList(ctx)
	if err == nil && len(list) == 0 {
		slog.Info("there is no account yet: add one by `sucai account add`, or start with --demo")
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

// serve runs until ctx ends, then finishes what is under way.
func serve(ctx context.Context, srv *http.Server, listener net.Listener, ls *library.Libraries) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	tidied := make(chan struct{})
	go func() {
		defer close(tidied)
		tidy(background, ls)
	}()
	defer func() { stop(); <-tidied }()

	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	slog.Info("ending: finishing what is under way", "for at most", drainTime)
	limit, cancel := context.WithTimeout(background, drainTime)
	defer cancel()
	if err := srv.Shutdown(limit); err != nil {
		slog.Warn("some calls were cut off", "error", err)
		srv.Close()
	}
	return nil
}

// tidy removes, now and then, what nobody can reach any more.
func tidy(ctx context.Context, ls *library.Libraries) {
	rows, bytes := time.NewTicker(10*time.Minute), time.NewTicker(6*time.Hour)
	defer rows.Stop()
	defer bytes.Stop()
	report := func(err error) {
		if err != nil && ctx.Err() == nil {
			slog.Error("tidying up", "error", err)
		}
	}
	for {
		report(ls.Tidy(ctx))
		select {
		case <-ctx.Done():
			return
		case <-rows.C:
		case <-bytes.C:
			_, err := ls.Sweep(ctx, time.Now().Add(-library.SweepAge))
			report(err)
		}
	}
}

// addAccounts creates the accounts of appid:secret,.. that are missing.
func addAccounts(ctx context.Context, ls *library.Libraries, list string) error {
	for _, pair := range strings.Split(list, ",") {
		pair = strings.TrimSpace(pair)
		if pair == "" {
			continue
		}
		appID, secret, ok := strings.Cut(pair, ":")
		if !ok || appID == "" || secret == "" {
			return usagef("SUCAI_ACCOUNTS: appid:secret,.. is wanted")
		}
		_, _, err := ls.NewAccount(ctx, appID, secret)
		if !errors.Is(err, library.ErrExists) {
			if err != nil {
				return fmt.Errorf("SUCAI_ACCOUNTS: %w", err)
			}
			continue
		}
		a, err := ls.Accounts.Account(ctx, appID)
		if err != nil {
			return err
		}
		if !a.HasSecret(secret) {
			slog.Warn("SUCAI_ACCOUNTS has another secret than the store, which stays as it is", "appid", appID)
		}
	}
	return nil
}
