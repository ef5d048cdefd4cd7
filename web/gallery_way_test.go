package web

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"siyu/internal/id"
)

// TestConsolePagesLeadBack: from each page of the console one tap leads to its
// front page, or from an owner's pages to his work.
func TestConsolePagesLeadBack(t *testing.T) {
	seen := 0
	for name, body := range printed(t) {
		text := string(body)
		if !strings.HasSuffix(name, ".html") || !strings.Contains(text, `class="hue-3 wide"`) || strings.Contains(text, `action="/console/logout"`) {
			continue
		}
		seen++
		if !strings.Contains(text, `href="/console"`) && !strings.Contains(text, `href="/console/work"`) {
			t.Errorf("%s has no way back", name)
		}
	}
	if seen < 40 {
		t.Errorf("only %d pages were looked at", seen)
	}
}

// TestEveryPageSpeaksBoth: each page leads to itself in the other language, but
// the door of an event, whose code is shown full screen.
func TestEveryPageSpeaksBoth(t *testing.T) {
	for name, body := range printed(t) {
		text := string(body)
		if strings.HasSuffix(name, ".html") && !strings.Contains(text, "at-door") && !strings.Contains(text, "hreflang=") {
			t.Errorf("%s has no way to the other language", name)
		}
	}
}

// TestGroupPagesLeadToEachOther: every page about a group lists the others and
// marks itself.
func TestGroupPagesLeadToEachOther(t *testing.T) {
	pages := 0
	for name, body := range printed(t) {
		text := string(body)
		if !strings.HasSuffix(name, ".html") || !strings.Contains(text, `/rituals">`) {
			continue
		}
		pages++
		for _, one := range aboutGroup(langZH, 0, "") {
			if page := strings.TrimPrefix(one.Href, "/console/groups/"+id.Group(0).String()); !strings.Contains(text, page+`"`) {
				t.Errorf("%s has no link to %s", name, one.Href)
			}
		}
		if !strings.Contains(text, `aria-current="page"`) {
			t.Errorf("%s does not mark itself", name)
		}
	}
	if pages < 7 {
		t.Errorf("only %d pages were looked at", pages)
	}
}

// TestFootStandsBelow: on a desk the cards stand in two columns, and what ends
// the page stands below both, in the middle.
func TestFootStandsBelow(t *testing.T) {
	files := printed(t)
	frames, pages := "", 0
	for name, body := range files {
		if strings.HasSuffix(name, ".html") && strings.Contains(string(body), `class="grid"`) && strings.Contains(string(body), `class="foot"`) {
			frames += fmt.Sprintf(`<iframe src="/%s" title=%q width="1280" height="800" style="border:0"></iframe>`, name, name)
			pages++
		}
	}
	dom := browse(t, files, fmt.Sprintf(`<!doctype html><body>%s<script>
window.onload = function () {
  var list = document.querySelectorAll('iframe'), out = [];
  for (var i = 0; i < list.length; i++) {
    var b = list[i].contentDocument.querySelector('.foot').getBoundingClientRect();
    out.push('[' + list[i].title + ' ' + Math.round((b.left + b.right) / 2) + ']');
  }
  document.body.textContent = out.join('');
};
</script>`, frames))
	found := regexp.MustCompile(`\[(\S+) (\d+)\]`).FindAllStringSubmatch(dom, -1)
	if len(found) != pages || pages == 0 {
		t.Fatalf("measured %d of %d pages:\n%s", len(found), pages, dom)
	}
	for _, f := range found {
		if f[2] != "640" {
			t.Errorf("%s ends at %s pixels, not in the middle", f[1], f[2])
		}
	}
}
