package status

// statusStyle is the page's only style; the policy names it by its digest.
const statusStyle = `
:root{color-scheme:light dark;--ink:#1b1f24;--dim:#57606a;--paper:#fff;--card:#f6f8fa;--line:#d0d7de;--ok:#1a7f37;--bad:#b3261e;--warn:#8a5a00}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9aa4af;--paper:#0d1117;--card:#161b22;--line:#30363d;--ok:#4ac26b;--bad:#ff7b72;--warn:#e3b341}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:60rem;font:1rem/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
header{display:flex;flex-wrap:wrap;gap:.25rem 1rem;align-items:baseline}
h1{font-size:1.4rem;margin:0}
h2{font-size:1rem;margin:0 0 .5rem}
nav{margin-left:auto}
a{color:inherit}
p{margin:.25rem 0}
section{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.75rem 1rem;margin:1rem 0;overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.2rem .75rem .2rem 0;vertical-align:top;border-top:1px solid var(--line);overflow-wrap:anywhere}
tr:first-child>*{border-top:0}
th{font-weight:600;color:var(--dim);white-space:nowrap}
th.n,td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.dim{color:var(--dim)}
.ok{color:var(--ok);font-weight:600}.bad{color:var(--bad);font-weight:600}.warn{color:var(--warn);font-weight:600}
code{font:.9em ui-monospace,monospace}
@media (max-width:36rem){body{padding:.5rem}section{padding:.5rem}th,td{padding-right:.5rem;font-size:.9rem}.wide{display:none}}
`

// statusPage is the page. Every value goes through html/template's escapes.
const statusPage = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="refresh" content="15">
<title>metrics-gate: runner {{.Runner.State}}</title>
<style>{{style}}</style>
</head>
<body>
<header>
<h1>metrics-gate</h1>
<span class="dim">{{.Version}}, started <time datetime="{{stamp .Started}}">{{ago .Started}}</time></span>
<nav><a href="/metrics">/metrics</a> <a href="/livez">/livez</a> <a href="/readyz">/readyz</a></nav>
</header>
<main>
<section id="state">
<h2>State</h2>
<table>
<tr><th scope="row">gate</th><td>{{if .NotReady}}<span class="bad">not ready</span> {{.NotReady}}{{else}}<span class="ok">ready</span>{{end}} on <code>{{.Listen}}</code>{{if not .TLS}} <span class="warn">plain HTTP</span>{{end}}</td></tr>
<tr><th scope="row">runner</th><td><span class="{{if eq .Runner.State "up"}}ok{{else if eq .Runner.State "down"}}bad{{else}}dim{{end}}">{{.Runner.State}}</span>{{if not .Runner.Since.IsZero}} since <time datetime="{{stamp .Runner.Since}}">{{stamp .Runner.Since}}</time> ({{ago .Runner.Since}}){{end}}, at <code>{{.Upstream}}</code></td></tr>
<tr><th scope="row">known by</th><td>{{range $i, $m := .Methods}}{{if $i}}, {{end}}{{$m}}{{end}}</td></tr>
{{range .Rights}}<tr><th scope="row">{{.Routes}}</th><td>{{range $i, $p := .Allow}}{{if $i}}, {{end}}<code>{{$p}}</code>{{else}}nobody{{end}}</td></tr>
{{end}}<tr><th scope="row">label</th><td><code>{{.Label}}</code>, on conflict <code>{{.Conflict}}</code></td></tr>
</table>
</section>
<section id="scrapes">
<h2>Last scrapes</h2>
{{if .Scrapes}}<table>
<tr><th scope="col">when</th><th scope="col">who</th><th scope="col">result</th><th scope="col" class="n">took</th><th scope="col" class="n wide">samples</th></tr>
{{range .Scrapes}}<tr><td><time datetime="{{stamp .At}}">{{ago .At}}</time></td><td>{{.Who}}</td><td><span class="{{if .Good}}ok{{else}}bad{{end}}">{{.Result}}</span>{{if .Shared}} <span class="dim">shared</span>{{end}}</td><td class="n">{{span .Duration}}</td><td class="n wide">{{.Samples}}</td></tr>
{{end}}</table>{{else}}<p class="dim">None yet.</p>{{end}}
</section>
<section id="refusals">
<h2>Refused since the start</h2>
{{if .Refusals}}<table>
{{range .Refusals}}<tr><td>{{.What}}</td><td class="n">{{.Times}}</td></tr>
{{end}}</table>{{else}}<p class="dim">Nothing.</p>{{end}}
</section>
<section id="limits">
<h2>Limits</h2>
<table>
{{range .Limits}}<tr><td>{{.What}}</td><td class="n">{{.Now}} of {{.Most}}</td><td class="n {{if .Near}}warn{{end}}">{{.Percent}}</td><td class="wide"><code>{{short .Variable}}</code></td></tr>
{{end}}</table>
</section>
<section id="expiry">
<h2>Certificates and keys</h2>
{{if or .Expiry .Issuers}}<table>
{{range .Expiry}}<tr><th scope="row">{{.Role}}</th><td>{{.Subject}}</td><td><span class="{{if lt .Days 0}}bad{{else if .Soon}}warn{{else}}ok{{end}}">{{.Left}}</span></td><td class="wide"><time datetime="{{stamp .NotAfter}}">{{stamp .NotAfter}}</time></td></tr>
{{end}}{{range .Issuers}}<tr><th scope="row">keys</th><td>{{.Issuer}}</td><td>{{if .Keys.IsZero}}<span class="bad">never had</span>{{else}}had {{ago .Keys}}{{end}}</td><td class="wide"></td></tr>
{{end}}</table>{{else}}<p class="dim">Plain HTTP: none.</p>{{end}}
</section>
</main>
</body>
</html>
`
