/** The style of a report: light and dark by the reader's setting, wide and narrow by the width of the window; nothing is loaded. */
export const style = `
:root{color-scheme:light dark;--page:#fff;--text:#1f2328;--faint:#59636e;--rule:#d1d9e0;--box:#f6f8fa;--mark:#eaeef2;
--good:#1a7f37;--goodBox:#dafbe1;--attention:#9a6700;--attentionBox:#fff8c5;--bad:#cf222e;--badBox:#ffebe9;
--create:#2da44e;--update:#bf8700;--replace:#8250df;--delete:#818b98;--answered:#54aeff;--median:#0969da;--p95:#8250df;--slowest:#afb8c1}
@media (prefers-color-scheme:dark){:root{--page:#0d1117;--text:#f0f6fc;--faint:#9198a1;--rule:#3d444d;--box:#151b23;--mark:#1c2430;
--good:#3fb950;--goodBox:#12261a;--attention:#d29922;--attentionBox:#2b2209;--bad:#f85149;--badBox:#3a1417;
--create:#3fb950;--update:#d29922;--replace:#ab7df8;--delete:#768390;--answered:#316dca;--median:#58a6ff;--p95:#ab7df8;--slowest:#656c76}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 -apple-system,"Segoe UI",Arial,"Liberation Sans",sans-serif}
main{max-width:1000px;margin:0 auto;padding:24px 20px 60px}
h1{font-size:26px;line-height:1.25;margin:0 0 4px}h2{font-size:19px;margin:34px 0 8px;padding-top:10px;border-top:1px solid var(--rule)}
h3{font-size:15px;margin:18px 0 4px}p{margin:6px 0}.faint{color:var(--faint)}
.verdict{margin:16px 0;padding:12px 16px;border-left:5px solid;border-radius:4px;font-size:16px}
.verdict.good{border-color:var(--good);background:var(--goodBox)}.verdict.attention{border-color:var(--attention);background:var(--attentionBox)}
.verdict.bad{border-color:var(--bad);background:var(--badBox)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));gap:10px;margin:14px 0}
.tile{background:var(--box);border:1px solid var(--rule);border-radius:6px;padding:10px 12px}
.tile b{display:block;font-size:21px;line-height:1.2;font-variant-numeric:tabular-nums}.tile span{color:var(--faint);font-size:13px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:14px;margin:8px 0;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:4px 14px 4px 0;border-bottom:1px solid var(--rule);vertical-align:top}
th{font-weight:600;color:var(--faint)}td.long{min-width:200px;overflow-wrap:anywhere}td.number,th.number{text-align:right;white-space:nowrap}
.good{color:inherit}td.bad,b.bad{color:var(--bad)}td.attention,b.attention{color:var(--attention)}
pre{background:var(--box);border:1px solid var(--rule);border-radius:6px;padding:10px 12px;overflow-x:auto;font:13px/1.5 ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
details{margin:8px 0}summary{cursor:pointer}
figure{margin:10px 0}figcaption{color:var(--faint);font-size:13px}figure img{display:block;max-width:100%;height:auto;border:1px solid var(--rule);border-radius:6px}
.legend{display:flex;flex-wrap:wrap;gap:4px 16px;font-size:13px;color:var(--faint);margin:2px 0 6px}
.legend i{display:inline-block;width:11px;height:11px;border-radius:2px;margin-right:5px;vertical-align:-1px}
.chart{display:block;max-width:100%;height:auto}.chart text{font-size:12px;fill:var(--faint);font-family:inherit}.chart .lane{fill:var(--text)}
.chart .grid{stroke:var(--rule);stroke-width:1}.chart .marked{fill:var(--mark)}
.create{fill:var(--create);background:var(--create)}.update{fill:var(--update);background:var(--update)}
.replace{fill:var(--replace);background:var(--replace)}.delete{fill:var(--delete);background:var(--delete)}
rect.failed,i.failed{fill:var(--bad);background:var(--bad)}.answered{fill:var(--answered);background:var(--answered)}
.line{fill:none;stroke-width:1.6;stroke-linejoin:round}.line.median{stroke:var(--median)}.line.p95{stroke:var(--p95)}.line.slowest{stroke:var(--slowest)}
circle.median{fill:var(--median)}circle.p95{fill:var(--p95)}circle.slowest{fill:var(--slowest)}
i.median{background:var(--median)}i.p95{background:var(--p95)}i.slowest{background:var(--slowest)}
.narrow{display:none}
@media (max-width:700px){main{padding:16px 12px 40px}h1{font-size:22px}.wide{display:none}.narrow{display:block}
figure img{max-width:none}th,td{padding-right:10px}td:first-child{min-width:84px}}
@media print{details>*{display:block}}
`;
