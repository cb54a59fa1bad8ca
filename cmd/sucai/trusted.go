package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"

	"github.com/spf13/pflag"

	"sucai/internal/cloudcall"
	"sucai/internal/library"
	"sucai/internal/server"
)

// trustedFlags are those of the listener that needs no token: 开放接口服务, as containers
// of 云托管 call it.
type trustedFlags struct {
	listen, env string
	anywhere    bool
}

func (f *trustedFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.listen, "trusted-listen", "", "`address` to serve calls without a token on, for the environment of --trusted-env")
	flags.StringVar(&f.env, "trusted-env", "", "`environment` of the calls on --trusted-listen; see sucai cloud --help")
	flags.BoolVar(&f.anywhere, "trusted-listen-anywhere", false, "allow --trusted-listen beyond this machine: whoever reaches it reads the accounts' materials")
}

// check refuses flags that say too little, before anything is opened.
func (f *trustedFlags) check() error {
	switch {
	case f.listen == "" && f.env != "":
		return usagef("--trusted-env: an address such as --trusted-listen 127.0.0.1:8081 is wanted with it")
	case f.listen == "" && f.anywhere:
		return usagef("--trusted-listen-anywhere: an address such as --trusted-listen 0.0.0.0:8081 is wanted with it")
	case f.listen != "" && f.env == "":
		return usagef("--trusted-listen: the environment whose calls it takes is wanted with it, as --trusted-env ENV")
	}
	return nil
}

// open opens the listener; nil where there is to be none.
func (f *trustedFlags) open(ctx context.Context, ls *library.Libraries) (net.Listener, error) {
	if f.listen == "" {
		return nil, nil
	}
	// Resolved once, so that what was looked at is what is listened on.
	address, err := net.ResolveTCPAddr("tcp", f.listen)
	if err != nil {
		return nil, usagef("--trusted-listen: %w", err)
	}
	if !address.IP.IsLoopback() && !f.anywhere {
		return nil, usagef("--trusted-listen %s is not loopback, and there whoever reaches it reads the materials of %s without a token; "+
			"take 127.0.0.1, or say --trusted-listen-anywhere too where the network lets nobody else in", f.listen, f.env)
	}
	switch _, err := ls.CloudEnv(ctx, f.env); {
	case errors.Is(err, library.ErrNotFound):
		return nil, fmt.Errorf("--trusted-env: there is no environment %s; `sucai cloud add %s --owner APPID` makes it", f.env, f.env)
	case err != nil:
		return nil, err
	}
	listener, err := net.ListenTCP("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--trusted-listen: %w", err)
	}
	return listener, nil
}

// site is what serves on the listener; base is where the ordinary one is reached. Any name
// is good beyond loopback only: there the callers' network has names of its own, while a
// page in a browser on this machine reaches loopback whatever the flags say.
func (f *trustedFlags) site(listener net.Listener, ls *library.Libraries, api *server.Server, base string) site {
	tcp, ok := listener.Addr().(*net.TCPAddr)
	srv := api.HTTP()
	srv.Handler = &cloudcall.Container{Libraries: ls, Server: api, Env: f.env, Base: base, AnyName: ok && !tcp.IP.IsLoopback()}
	return site{srv, listener}
}

// trustedAddress is where a trusted listener is reached.
func trustedAddress(listener net.Listener) string {
	return reachable((&url.URL{Scheme: "http", Host: listener.Addr().String()}).String())
}
