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

// open opens the listener; nil where there is to be none.
func (f *trustedFlags) open(ctx context.Context, ls *library.Libraries) (net.Listener, error) {
	switch {
	case f.listen == "" && f.env == "":
		return nil, nil
	case f.listen == "":
		return nil, usagef("--trusted-env: an address such as --trusted-listen 127.0.0.1:8081 is wanted with it")
	case f.env == "":
		return nil, usagef("--trusted-listen: the environment whose calls it takes is wanted with it, as --trusted-env ENV")
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

// site is what serves on the listener; base is where the ordinary one is reached.
func (f *trustedFlags) site(listener net.Listener, ls *library.Libraries, api *server.Server, base string) site {
	srv := api.HTTP()
	srv.Handler = &cloudcall.Container{Libraries: ls, Server: api, Env: f.env, Base: base, AnyName: f.anywhere}
	return site{srv, listener}
}

// trustedAddress is where a trusted listener is reached.
func trustedAddress(listener net.Listener) string {
	return reachable((&url.URL{Scheme: "http", Host: listener.Addr().String()}).String())
}
