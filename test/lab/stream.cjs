/**
 * One end of a TCP connection on which a numbered line is sent every 10 ms and comes back. The arguments are `connect ADDRESS
 * PORT` or `listen PORT`. After SIGTERM it waits a second for what is missing, and prints what became of it, as JSON.
 */
const { connect, createServer } = require('node:net');
const [how, ...words] = process.argv.slice(2);
const INTERVAL = 10;
const GRACE = 1000;

let sent = 0;
let returned = 0;
let wrong = 0;
let gap = 0;
let last;
let rest = '';
let failure = null;
let timer;

function run(socket) {
  socket.setNoDelay(true);
  socket.on('data', chunk => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    const now = performance.now();
    gap = Math.max(gap, now - (last ?? now));
    last = now;
    for (const line of lines) {
      if (line !== String(returned)) wrong += 1;
      returned += 1;
    }
    if (returned === lines.length) console.log('echoes');
  });
  const end = why => {
    failure ??= why;
    clearInterval(timer);
  };
  socket.on('error', error => end(error.code));
  socket.on('close', () => end('closed'));
  timer = setInterval(() => {
    socket.write(`${sent}\n`);
    sent += 1;
  }, INTERVAL);
}

process.on('SIGTERM', () => {
  clearInterval(timer);
  const marked = performance.now();
  const wait = setInterval(() => {
    if (returned < sent && failure === null && performance.now() < marked + GRACE) return;
    clearInterval(wait);
    if (returned < sent) gap = Math.max(gap, performance.now() - (last ?? marked));
    console.log(JSON.stringify({ sent, returned, wrong, gap: Math.round(gap), failure }));
    process.exit();
  }, INTERVAL);
});

if (how === 'connect') run(connect({ host: words[0], port: Number(words[1]) }));
else createServer(run).listen(Number(words[0]), () => console.log('listens'));
