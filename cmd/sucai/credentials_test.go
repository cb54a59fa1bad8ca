package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sucai/wechat"
)

// The credentials of a bucket come from wherever AWS's own tools find them.
func TestWhereCredentialsComeFrom(t *testing.T) {
	o := newOutgrown(t)
	o.env["SUCAI_ACCOUNTS"] = "wxone:s1"
	roles := newRoles(t, o)
	none := map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
	home, token := t.TempDir(), filepath.Join(t.TempDir(), "token")
	must(t, os.Mkdir(filepath.Join(home, ".aws"), 0o700))
	must(t, os.WriteFile(filepath.Join(home, ".aws", "credentials"), fmt.Appendf(nil, "[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n",
		o.env["AWS_ACCESS_KEY_ID"], o.env["AWS_SECRET_ACCESS_KEY"]), 0o600))
	must(t, os.WriteFile(token, []byte("of a pod"), 0o600))
	for from, env := range map[string]map[string]string{
		"the environment":       {},
		"the file at home":      {"HOME": home},
		"a profile of a file":   {"AWS_SHARED_CREDENTIALS_FILE": o.credentialsFile(t), "AWS_PROFILE": "tests"},
		"the container":         {"AWS_CONTAINER_CREDENTIALS_FULL_URI": roles.url + "/container", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "of a container"},
		"a pod":                 {"AWS_CONTAINER_CREDENTIALS_FULL_URI": roles.url + "/pod", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": token},
		"the machine":           {"AWS_EC2_METADATA_SERVICE_ENDPOINT": roles.url},
		"a service account":     {"AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": "arn:aws:iam::1:role/sucai", "HTTPS_PROXY": roles.url, "SSL_CERT_FILE": roles.certificate},
		"the environment first": {"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(t.TempDir(), "absent"), "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/"},
	} {
		t.Run(from, func(t *testing.T) {
			all := map[string]string{}
			if from != "the environment" && from != "the environment first" {
				for name, value := range none {
					all[name] = value
				}
			}
			for name, value := range env {
				all[name] = value
			}
			p, err := startServer(binary(t), o.with(all), t.TempDir())
			must(t, err)
			defer p.kill()
			c := newClientFor(p)
			defer c.HTTP.CloseIdleConnections()
			added, err := c.AddMaterial(t.Context(), wechat.Upload{Type: wechat.Image, Name: "a.png", Body: bytes.NewReader(fixtures[".png"])})
			must(t, err)
			got, err := c.GetMaterial(t.Context(), added.MediaID)
			must(t, err)
			defer got.File.Body.Close()
			if data, err := io.ReadAll(got.File.Body); err != nil || !bytes.Equal(data, fixtures[".png"]) {
				t.Errorf("%d bytes came, %v", len(data), err)
			}
			must(t, p.stop())
		})
	}
}

// roles stands for what hands out a role's credentials: a container's agent, the metadata
// of a machine, and AWS's token service, for which it is a proxy.
type roles struct {
	url         string
	certificate string // a file: whom to trust, to believe in the token service
	answer      string
	service     net.Listener
}

func newRoles(t *testing.T, o *outgrown) *roles {
	expires := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	r := &roles{answer: fmt.Sprintf(`{"Code":"Success","AccessKeyId":%q,"SecretAccessKey":%q,"Token":%q,"Expiration":%q}`,
		o.env["AWS_ACCESS_KEY_ID"], o.env["AWS_SECRET_ACCESS_KEY"], o.env["AWS_SESSION_TOKEN"], expires)}
	dir := t.TempDir()
	writeKeyPair(t, dir, 1, "sts.amazonaws.com")
	r.certificate = filepath.Join(dir, "cert.pem")
	pair, err := tls.LoadX509KeyPair(r.certificate, filepath.Join(dir, "key.pem"))
	must(t, err)
	service := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.FormValue("WebIdentityToken") != "of a pod" || req.FormValue("RoleArn") != "arn:aws:iam::1:role/sucai" {
			http.Error(w, "who is this?", http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>
			<AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken><Expiration>%s</Expiration>
			</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
			o.env["AWS_ACCESS_KEY_ID"], o.env["AWS_SECRET_ACCESS_KEY"], o.env["AWS_SESSION_TOKEN"], expires)
	}))
	service.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	service.StartTLS()
	t.Cleanup(service.Close)
	r.service = service.Listener
	r.url = serveUntilEnd(t, r)
	return r
}

func (r *roles) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	const list = "/latest/meta-data/iam/security-credentials/"
	authorization, ticket := req.Header.Get("Authorization"), req.Header.Get("X-aws-ec2-metadata-token")
	switch path := req.URL.Path; {
	case req.Method == http.MethodConnect && req.Host == "sts.amazonaws.com:443":
		r.tunnel(w)
	case path == "/container" && authorization == "of a container",
		path == "/pod" && authorization == "of a pod",
		path == list+"sucai" && ticket == "of a machine":
		io.WriteString(w, r.answer)
	case path == "/latest/api/token" && req.Method == http.MethodPut:
		io.WriteString(w, "of a machine")
	case path == list && ticket == "of a machine":
		io.WriteString(w, "sucai\n")
	default:
		http.NotFound(w, req)
	}
}

// tunnel joins a connection with the token service.
func (r *roles) tunnel(w http.ResponseWriter) {
	to, err := net.Dial("tcp", r.service.Addr().String())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer to.Close()
	from, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer from.Close()
	io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
	go func() {
		io.Copy(to, from)
		to.Close()
	}()
	io.Copy(from, to)
}
