// Loaded before the hook's program (node --require): notes what it waits for, and writes it down at its end as one
// line of JSON: [what, from, to] in milliseconds since the process began.
const child = require('node:child_process');
const fs = require('node:fs');

const spans = [['node starts', 0, performance.now()]];
const loading = performance.now();

function watch(owner, name, label) {
  const original = owner[name];
  owner[name] = (...args) => {
    const begun = performance.now();
    try {
      return original.apply(owner, args);
    } finally {
      const what = label(...args);
      if (what !== undefined) spans.push([what, begun, performance.now()]);
    }
  };
}

watch(child, 'spawnSync', (file, args) => [file.replace(/.*\//, ''), words(args)].join(' ').trim());
watch(child, 'spawn', file => `${file.replace(/.*\//, '')} (not waited for)`);
watch(Atomics, 'wait', () => 'waits for dnsmasq to take its configuration, or to end');
// The first thing the program does once it is loaded is to read its input.
watch(fs, 'readFileSync', file => {
  if (file === 0) spans.push(['the program is loaded', loading, performance.now()]);
});
process.on('exit', () => {
  spans.push(['all', 0, performance.now()]);
  fs.appendFileSync(process.env.HNET_PROFILE, `${JSON.stringify(spans)}\n`);
});

/** What tells two calls of one tool apart: its first words, without what differs from run to run. */
function words(args) {
  return args
    .filter(word => !/^(-|\d|\/)/.test(word))
    .concat(
      args.filter(
        word => word === '-batch' || word === '--exclusive' || word === '--shared' || word === '-json',
      ),
    )
    .join(' ');
}
