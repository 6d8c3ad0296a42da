// Package linkcheck finds the links of HTML pages that lead nowhere.
package linkcheck

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"sort"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// maxPage is the size from which on a page is not read further, in bytes.
const maxPage = 1 << 20

// A Report is what is known of a page's links.
type Report struct {
	Page   string
	Links  int
	Broken []string // in the order of their URLs
}

// A Checker checks pages of one site.
type Checker struct {
	site   string // "http://127.0.0.1:8080"
	client *http.Client
}

// New returns a checker of the site at an address, with or without scheme.
func New(address string) *Checker {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	return &Checker{
		site: strings.TrimSuffix(address, "/"),
		client: &http.Client{
			Timeout:   10 * time.Second,
			Transport: &http.Transport{MaxIdleConnsPerHost: 128},
		},
	}
}

// CheckFile checks the links of a page in the site's output folder, as it
// will be published.
func (c *Checker) CheckFile(ctx context.Context, name string) (Report, error) {
	f, err := os.Open(name)
	if err != nil {
		return Report{}, err
	}
	defer f.Close()
	links, err := c.links(f)
	if err != nil {
		return Report{}, fmt.Errorf("%s: %w", name, err)
	}
	report := Report{Page: name, Links: len(links)}
	for _, link := range links {
		ok, err := c.reachable(ctx, link)
		if err != nil {
			return Report{}, fmt.Errorf("%s: %w", name, err)
		}
		if !ok {
			report.Broken = append(report.Broken, link)
		}
	}
	return report, nil
}

// links returns the distinct links of a page that lead to the site, sorted.
func (c *Checker) links(page io.Reader) ([]string, error) {
	root, err := html.Parse(io.LimitReader(page, maxPage))
	if err != nil {
		return nil, err
	}
	base, err := url.Parse(c.site + "/")
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		for _, a := range n.Attr {
			if a.Key != "href" && a.Key != "src" {
				continue
			}
			u, err := base.Parse(a.Val)
			if err != nil || u.Host != base.Host {
				continue
			}
			u.Fragment = ""
			found[u.String()] = true
		}
	}
	links := make([]string, 0, len(found))
	for link := range found {
		links = append(links, link)
	}
	sort.Strings(links)
	return links, nil
}

// reachable reports whether the site has a page at link. An error means that
// the site could not be asked.
func (c *Checker) reachable(ctx context.Context, link string) (bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, link, nil)
	if err != nil {
		return false, err
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return false, err
	}
	resp.Body.Close()
	return resp.StatusCode < 400, nil
}
