package status

import _ "embed"

// statusStyle is the page's only style; the policy names it by its digest.
//
//go:embed style.css
var statusStyle string

// statusPage is the page. Every value goes through html/template's escapes.
//
//go:embed page.html
var statusPage string
