// SPDX-License-Identifier: EUPL-1.2
// Reads BPMN as other programs do: bpmn-moddle must import it without a warning, bpmnlint's
// recommended rules must find nothing. Prints a line for each file: "ok FILE" or "not ok FILE".
//
//   node bpmn.cjs FOLDER-WITH-NODE_MODULES FILE...
'use strict';
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join } = require('node:path');

async function main(folder, files) {
  const from = createRequire(join(folder, 'package.json'));
  const { BpmnModdle } = await import(from.resolve('bpmn-moddle'));
  const Linter = from('bpmnlint/lib/linter');
  const NodeResolver = from('bpmnlint/lib/resolver/node-resolver');
  let bad = 0;
  for (const file of files) {
    const found = [];
    const read = await new BpmnModdle().fromXML(readFileSync(file, 'utf8'));
    read.warnings.forEach((w) => found.push(`import: ${w.message}`));
    const linter = new Linter({
      config: { extends: 'bpmnlint:recommended' },
      resolver: new NodeResolver({ require: from }),
    });
    const report = await linter.lint(read.rootElement);
    for (const [rule, list] of Object.entries(report)) {
      list.forEach((x) => found.push(`${rule}: ${x.category}: ${x.id}: ${x.message}`));
    }
    found.forEach((line) => console.log(`  ${line}`));
    console.log(`${found.length === 0 ? 'ok' : 'not ok'} ${file}`);
    bad += found.length === 0 ? 0 : 1;
  }
  return bad === 0 ? 0 : 1;
}

main(process.argv[2], process.argv.slice(3)).then(
  (rc) => process.exit(rc),
  (err) => {
    console.error(err);
    process.exit(2);
  },
);
