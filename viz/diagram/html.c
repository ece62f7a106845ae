/* One HTML file that needs nothing else: the SVG of the scene, its boxes and lines as data, and a script for pan, zoom, search, details and the dark theme. It asks
 * no network (its own policy forbids it), and every text from outside is a JSON string or an escaped text node. */
#include "viz/diagram/scene.h"

static const char style[] =
	":root{color-scheme:light;--paper:#fff;--ink:#1b2733;--muted:#5b6b7a;--panel:#f4f6f8;--line:#d5dbe0;--accent:#0072b2}\n"
	"[data-theme=dark]{color-scheme:dark;--paper:#0f1720;--ink:#e6edf3;--muted:#93a4b5;--panel:#17222e;--line:#34444f;--accent:#4aa8e0}\n"
	"*{box-sizing:border-box}html,body{height:100%;margin:0}body{display:flex;flex-direction:column;background:var(--paper);color:var(--ink);font:15px/1.45 'Liberation Sans',Arial,Helvetica,sans-serif}\n"
	"header{display:flex;gap:.5rem;align-items:center;flex-wrap:wrap;padding:.5rem .8rem;border-bottom:1px solid var(--line)}\n"
	"h1{font-size:1rem;margin:0;flex:1 1 20rem}h2{font-size:1rem;margin:0 0 .2rem;overflow-wrap:anywhere}\n"
	"button,input{font:inherit;color:inherit;background:var(--panel);border:1px solid var(--line);border-radius:.4rem;padding:.2rem .6rem}input{width:12rem}\n"
	"button:focus-visible,input:focus-visible,svg:focus-visible,.box:focus-visible{outline:3px solid var(--accent);outline-offset:2px}\n"
	"main{flex:1;display:flex;min-height:0}#stage{flex:1;min-width:0;touch-action:none;cursor:grab}#stage.drag{cursor:grabbing}#stage svg{width:100%;height:100%;display:block}\n"
	"aside{width:24rem;max-width:45vw;overflow:auto;overflow-wrap:anywhere;padding:.8rem;border-left:1px solid var(--line);background:var(--panel)}aside p{margin:.2rem 0;color:var(--muted)}\n"
	"pre{white-space:pre-wrap;overflow-wrap:anywhere;font:12.5px/1.4 'DejaVu Sans Mono','Liberation Mono',monospace}ul{padding-left:1.1rem}\n"
	".box{cursor:pointer}.faded .box,.faded .line{opacity:.18}.faded .keep{opacity:1}\n"
	"@media (max-width:700px){main{flex-direction:column}aside{width:auto;max-width:none;max-height:40vh;border-left:0;border-top:1px solid var(--line)}}\n"
	"@media print{header button,header input,aside{display:none}}\n";

static const char script[] =
	"(()=>{'use strict';\n"
	"const data=JSON.parse(document.getElementById('data').textContent),stage=document.getElementById('stage'),svg=stage.querySelector('svg'),side=document.getElementById('side');\n"
	"const whole=svg.getAttribute('viewBox').split(/\\s+/).map(Number);let view=whole.slice();\n"
	"svg.removeAttribute('width');svg.removeAttribute('height');svg.setAttribute('role','group');svg.tabIndex=0;\n"
	"const show=()=>svg.setAttribute('viewBox',view.join(' '));\n"
	"const zoom=(f,cx,cy)=>{const w=Math.min(Math.max(view[2]*f,whole[2]/60),whole[2]*4),k=w/view[2];view=[cx-(cx-view[0])*k,cy-(cy-view[1])*k,w,view[3]*k];show()};\n"
	"const centre=()=>[view[0]+view[2]/2,view[1]+view[3]/2];\n"
	"const at=e=>{const m=svg.getScreenCTM().inverse(),p=new DOMPoint(e.clientX,e.clientY).matrixTransform(m);return[p.x,p.y]};\n"
	"const fit=()=>{view=whole.slice();show()};\n"
	"stage.addEventListener('wheel',e=>{e.preventDefault();zoom(Math.exp(e.deltaY*.0015),...at(e))},{passive:false});\n"
	"let drag=null,moved=false;\n"
	"stage.addEventListener('pointerdown',e=>{drag=at(e);moved=false});\n"
	"stage.addEventListener('pointermove',e=>{if(!drag)return;const p=at(e);if(Math.hypot(p[0]-drag[0],p[1]-drag[1])>3){moved=true;stage.classList.add('drag')}view[0]-=p[0]-drag[0];view[1]-=p[1]-drag[1];show()});\n"
	"addEventListener('pointerup',()=>{drag=null;stage.classList.remove('drag')});\n"
	"const group=id=>document.getElementById(id);\n"
	"const clear=()=>{svg.classList.remove('faded');svg.querySelectorAll('.keep').forEach(x=>x.classList.remove('keep'))};\n"
	"const keep=id=>{for(let g=group(id);g&&g!==svg;g=null)g.classList.add('keep')};\n"
	"const inside=(id,top)=>{for(let b=id;b;b=data.boxes[b]&&data.boxes[b].in)if(b===top)return true;return false};\n"
	"const up=id=>{for(let b=id;b;b=data.boxes[b]&&data.boxes[b].in)keep(b)};\n"
	"const text=(tag,s,to)=>{const x=document.createElement(tag);x.textContent=s;to.append(x);return x};\n"
	"function choose(id){const b=data.boxes[id];clear();side.replaceChildren();if(!b){text('p',data.description,side);text('p','Click a box: what it is, and what it is joined to. The wheel, + and \\u2212 zoom; dragging and arrows move; 0 shows all; / finds; Esc leaves.',side);return}\n"
	" text('h2',b.title||id,side);text('p',b.role,side);\n"
	" const near=data.lines.filter(l=>inside(l.from,id)||inside(l.to,id));\n"
	" if(near.length){const ul=document.createElement('ul');for(const l of near)text('li',(data.boxes[l.from]||{}).title+' \\u2192 '+(data.boxes[l.to]||{}).title+': '+(l.text||l.kind),ul);side.append(ul)}\n"
	" if(b.details)text('pre',b.details,side);\n"
	" svg.classList.add('faded');for(const k in data.boxes)if(inside(k,id))keep(k);up(id);for(const l of near){keep(l.id);up(l.from);up(l.to)}const g=group('legend');if(g)g.classList.add('keep')}\n"
	"svg.querySelectorAll('.box').forEach(g=>{const b=data.boxes[g.id];if(!b)return;g.tabIndex=0;g.setAttribute('role','button');g.setAttribute('aria-label',b.title);\n"
	" g.addEventListener('click',e=>{e.stopPropagation();if(!moved)choose(g.id)});g.addEventListener('keydown',e=>{if(e.key==='Enter'||e.key===' '){e.preventDefault();choose(g.id)}})});\n"
	"svg.addEventListener('click',()=>{if(!moved)choose(null)});\n"
	"const find=document.getElementById('find');\n"
	"find.addEventListener('input',()=>{const q=find.value.trim().toLowerCase();clear();if(!q)return;svg.classList.add('faded');for(const k in data.boxes){const b=data.boxes[k];if((b.title+' '+(b.details||'')).toLowerCase().includes(q))up(k)}});\n"
	"const theme=t=>{document.documentElement.dataset.theme=t};\n"
	"document.getElementById('in').onclick=()=>zoom(.8,...centre());document.getElementById('out').onclick=()=>zoom(1.25,...centre());document.getElementById('fit').onclick=fit;\n"
	"document.getElementById('theme').onclick=()=>theme(document.documentElement.dataset.theme==='dark'?'light':'dark');\n"
	"addEventListener('keydown',e=>{if(e.target===find){if(e.key==='Escape'){find.value='';find.dispatchEvent(new Event('input'));find.blur()}return}\n"
	" const s=view[2]/12,k={'+':()=>zoom(.8,...centre()),'=':()=>zoom(.8,...centre()),'-':()=>zoom(1.25,...centre()),'0':fit,'/':()=>find.focus(),Escape:()=>choose(null),\n"
	" ArrowLeft:()=>{view[0]-=s;show()},ArrowRight:()=>{view[0]+=s;show()},ArrowUp:()=>{view[1]-=s;show()},ArrowDown:()=>{view[1]+=s;show()}}[e.key];if(k&&!e.ctrlKey&&!e.metaKey){e.preventDefault();k()}});\n"
	"if(!document.documentElement.dataset.theme)theme(matchMedia('(prefers-color-scheme: dark)').matches?'dark':'light');\n"
	"choose(null);\n"
	"})();\n";

/* ---- light to dark: Graphviz writes colours as attributes, and each light one has one dark one */

struct pairs { const char *light[96], *dark[96]; uint32_t nr; };

static void pair(struct pairs *p, const char *light, const char *dark)
{
	for (uint32_t k = 0; k < p->nr; k++)
		if (strcasecmp(p->light[k], light) == 0)
			return;
	if (p->nr == ARRAY_LEN(p->light))
		return;
	p->light[p->nr] = light;
	p->dark[p->nr++] = dark;
}

static void small(struct sb *out, const char *color)
{
	for (; *color; color++)
		sb_addc(out, *color >= 'A' && *color <= 'F' ? (char)(*color | 0x20) : *color);
}

static void dark_rules(struct sb *out)
{
	const struct paper *l = paper_style(THEME_LIGHT), *d = paper_style(THEME_DARK);
	struct pairs p = { .nr = 0 };

	pair(&p, l->background, d->background);
	pair(&p, l->ink, d->ink);
	pair(&p, l->muted, d->muted);
	pair(&p, l->inside, d->inside);
	pair(&p, l->changed, d->changed);
	pair(&p, l->grid, d->grid);
	for (int r = 0; r < ROLE_COUNT; r++) {
		pair(&p, role_style(THEME_LIGHT, (enum role)r)->line, role_style(THEME_DARK, (enum role)r)->line);
		pair(&p, role_style(THEME_LIGHT, (enum role)r)->fill, role_style(THEME_DARK, (enum role)r)->fill);
		pair(&p, role_style(THEME_LIGHT, (enum role)r)->text, role_style(THEME_DARK, (enum role)r)->text);
	}
	for (int k = 0; k < LINE_COUNT; k++)
		pair(&p, line_style(THEME_LIGHT, (enum line)k)->color, line_style(THEME_DARK, (enum line)k)->color);
	for (uint32_t k = 0; k < p.nr; k++)
		for (int stroke = 0; stroke < 2; stroke++) {
			sb_printf(out, "[data-theme=dark] svg [%s=\"", stroke ? "stroke" : "fill");
			small(out, p.light[k]);
			sb_printf(out, "\"]{%s:%s}\n", stroke ? "stroke" : "fill", p.dark[k]);
		}
	sb_printf(out, "[data-theme=dark] svg text:not([fill]){fill:%s}\n", d->ink);
}

/* ---- data */

static void quoted_id(struct sb *out, const char *id)
{
	sb_addc(out, '"');
	label_id(out, id);
	sb_addc(out, '"');
}

static const char *title_of(const struct box *b)
{
	return b->title ? b->title : b->name ? b->name : b->address ? b->address : "";
}

/* Without details of its own a box says what its rows do. */
static void details_of(const struct box *b, struct sb *text)
{
	if (b->details) {
		sb_add(text, b->details);
		return;
	}
	if (b->address)
		sb_printf(text, "%s\n", b->address);
	for (uint32_t k = 0; k < b->rows.nr; k++) {
		for (uint32_t c = 0; c < b->rows.v[k].cells.nr; c++)
			sb_printf(text, "%s%s%s%s", c ? "  " : "", b->rows.v[k].cells.v[c].text ? b->rows.v[k].cells.v[c].text : "",
				  b->rows.v[k].cells.v[c].changed ? b->rows.v[k].cells.v[c].changed : "", b->rows.v[k].cells.v[c].rest ? b->rows.v[k].cells.v[c].rest : "");
		sb_addc(text, '\n');
	}
}

static void boxes(const struct scene *s, struct sb *out)
{
	bool any = false;

	for (uint32_t i = 1; i < s->boxes.nr; i++) {
		const struct box *b = &s->boxes.v[i];
		struct sb details = { 0 };

		sb_add(out, any ? ",\n" : "");
		any = true;
		quoted_id(out, b->id);
		sb_add(out, ":{\"title\":");
		label_json(out, title_of(b));
		sb_add(out, ",\"role\":");
		label_json(out, role_names[b->role]);
		if (b->parent.i) {
			sb_add(out, ",\"in\":");
			quoted_id(out, s->boxes.v[b->parent.i].id);
		}
		details_of(b, &details);
		sb_add(out, ",\"details\":");
		label_json(out, sb_text(&details));
		sb_addc(out, '}');
		sb_free(&details);
	}
}

/* What a line says: the legend's words for its kind, else the kind's own. */
static const char *kind_of(const struct scene *s, const struct scene_edge *l)
{
	for (uint32_t k = 0; k < s->legend.nr; k++)
		if (s->legend.v[k].line == l->line && s->legend.v[k].badge == l->badge && s->legend.v[k].text)
			return s->legend.v[k].text;
	for (uint32_t k = 0; k < s->legend.nr; k++)
		if (s->legend.v[k].line == l->line && !s->legend.v[k].badge && s->legend.v[k].text)
			return s->legend.v[k].text;
	return line_names[l->line];
}

static void lines(const struct scene *s, struct sb *out)
{
	bool any = false;

	for (uint32_t k = 0; k < s->edges.nr; k++) {
		const struct scene_edge *l = &s->edges.v[k];
		struct sb text = { 0 };

		if (l->line == LINE_INVISIBLE || !l->from.i || !l->to.i)
			continue;
		sb_printf(out, "%s{\"id\":\"e%u\",\"from\":", any ? ",\n" : "", k);
		any = true;
		quoted_id(out, s->boxes.v[l->from.i].id);
		sb_add(out, ",\"to\":");
		quoted_id(out, s->boxes.v[l->to.i].id);
		sb_add(out, ",\"kind\":");
		label_json(out, kind_of(s, l));
		sb_printf(&text, "%s%s%s", l->label ? l->label : "", l->changed ? l->changed : "", l->rest ? l->rest : "");
		if (l->both)
			sb_printf(&text, "%sboth ways", text.len ? ", " : "");
		sb_add(out, ",\"text\":");
		label_json(out, sb_text(&text));
		sb_addc(out, '}');
		sb_free(&text);
	}
}

bool html_render(const struct scene *s, enum theme theme, struct sb *out, struct err *err)
{
	struct sb svg = { 0 };
	const char *picture;

	if (!graph_render(s, "svg", THEME_LIGHT, &svg, err)) {
		sb_free(&svg);
		return false;
	}
	picture = strstr(sb_text(&svg), "<svg ");
	sb_printf(out, "<!DOCTYPE html>\n<html lang=\"en\"%s>\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n<title>",
		  theme == THEME_DARK ? " data-theme=\"dark\"" : "");
	label_html(out, s->title);
	sb_add(out, "</title>\n<style>\n");
	sb_add(out, style);
	dark_rules(out);
	sb_add(out, "</style>\n</head>\n<body>\n<header><h1>");
	label_html(out, s->title);
	sb_add(out, "</h1>\n<input id=\"find\" type=\"search\" placeholder=\"find  ( / )\" aria-label=\"find a box\">\n"
		    "<button id=\"out\" aria-label=\"zoom out\">−</button><button id=\"in\" aria-label=\"zoom in\">+</button><button id=\"fit\">fit</button><button id=\"theme\">dark / light</button></header>\n"
		    "<main><div id=\"stage\">\n");
	sb_add(out, picture ? picture : "");
	sb_add(out, "</div>\n<aside id=\"side\" aria-live=\"polite\"></aside></main>\n<script id=\"data\" type=\"application/json\">\n{\"description\":");
	label_json(out, s->description ? s->description : s->title);
	sb_add(out, ",\n\"boxes\":{\n");
	boxes(s, out);
	sb_add(out, "\n},\n\"lines\":[\n");
	lines(s, out);
	sb_add(out, "\n]}\n</script>\n<script>\n");
	sb_add(out, script);
	sb_add(out, "</script>\n</body>\n</html>\n");
	sb_free(&svg);
	return true;
}
