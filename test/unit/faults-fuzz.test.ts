import { expect } from 'chai';
import fc from 'fast-check';
import { iptables } from '../../src/firewall/iptables/iptables.ts';
import { nftables } from '../../src/firewall/nftables/nftables.ts';
import { parseConfig } from '../../src/model/parse-config.ts';
import { parseDomain } from '../../src/model/parse-domain.ts';
import { Refusal } from '../../src/model/refusal.ts';
import { readRunning } from '../../src/model/running.ts';
import { EMPTY_VIEW } from '../../src/model/view.ts';
import { domainPlan } from '../../src/plan/plan.ts';
import { describe as describeAction } from '../../src/resources/action.ts';

/**
 * How many inputs in all, in three parts; never the same ones twice. Each run tries a few thousand, and by hand as many as
 * one likes: HNET_FUZZ=100000 test/run unit.
 */
const ALL = Number(process.env['HNET_FUZZ'] ?? 10_000);
const [XMLS, ASSIGNMENTS, CONFIGS] = [ALL * 0.4, ALL * 0.4, ALL * 0.2].map(Math.ceil) as [
  number,
  number,
  number,
];
/** Ten times what it takes. */
const LIMIT = ALL * 30;

const UUID = 'c64804ab-817f-4cb6-af52-3d0ee8b51463';

/** Words that a shell, a tool or a parser might take for more than they are. */
const hostile = fc.oneof(
  fc.constantFrom(
    '$(id)',
    '`id`',
    '; rm -rf /',
    '| sh',
    '../..',
    '-rf',
    '"',
    "'",
    '\n',
    '\0',
    '&amp;',
    '<![CDATA[x]]>',
  ),
  fc.constantFrom(
    '%s%n',
    '{ }',
    'br116\nlink del eth0',
    '123.45.90.116',
    '123.45.90.112/29',
    '::1',
    '0.0.0.0/0',
  ),
  fc.constantFrom('br116', '172.30.116.0/24', 'allow tcp/22', 'tcp/22 from $(id)', UUID, '9'.repeat(400)),
  fc.string({ unit: 'binary', maxLength: 20 }),
);

const name = fc.constantFrom(
  'domain',
  'uuid',
  'name',
  'metadata',
  'devices',
  'interface',
  'source',
  'target',
  'h:x',
);
const attribute = fc.constantFrom(
  'xmlns',
  'xmlns:h',
  'ip',
  'bridge',
  'scope',
  'domain',
  'inbound',
  'isolate',
  'dev',
);

/** Something like XML, well-formed or nearly so. */
const xml = fc.letrec<{ node: string }>(tie => ({
  node: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    hostile,
    fc
      .tuple(
        name,
        fc.array(fc.tuple(attribute, hostile), { maxLength: 3 }),
        fc.array(tie('node'), { maxLength: 4 }),
        fc.integer({ min: 0, max: 20 }),
      )
      .map(([tag, attributes, children, odd]) => {
        const words = attributes
          .map(([key, value]) => ` ${key}="${odd === 1 ? value : escaped(value)}"`)
          .join('');
        return `<${tag}${words}>${children.join('')}${odd === 2 ? '' : `</${tag}>`}`;
      }),
  ),
})).node;

const escaped = (text: string): string => text.replace(/[&<>"]/g, one => `&#${one.charCodeAt(0)};`);

/** Mostly what is expected there, and now and then something else. */
const mostly = (...values: string[]) =>
  fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: hostile });

const address = fc.record(
  {
    ip: mostly('123.45.90.116', '123.45.90.112/30', '123.45.53.12', '10.0.0.0/8'),
    bridge: mostly('br116', 'br12', 'br-x.y_z'),
    scope: mostly('172.30.116.0/24', '172.30.12.16/28'),
  },
  { requiredKeys: ['ip'] },
);
const rule = mostly('allow tcp/22 from 203.0.113.0/24', 'outbound deny udp/1-9', 'deny any', 'allow icmp');

/** A domain whose assignment is like one that means harm. */
const domain = fc
  .tuple(
    fc.array(address, { minLength: 1, maxLength: 2 }),
    fc.array(rule, { maxLength: 3 }),
    fc.option(mostly(UUID)),
    hostile,
  )
  .map(([addresses, rules, owner, called]) => {
    const words = (one: Readonly<Record<string, string>>): string =>
      Object.entries(one)
        .map(([key, value]) => ` ${key}="${escaped(value)}"`)
        .join('');
    const inner = addresses.map(one => `<address${words(one)}/>`).join('');
    const policy =
      rules.length === 0
        ? ''
        : `<policy>${rules.map(rule => `<rule>${escaped(rule)}</rule>`).join('')}</policy>`;
    const by = owner === null ? '' : ` domain="${escaped(owner)}"`;
    return `<domain><name>${escaped(called)}</name><uuid>${UUID}</uuid><metadata><assignment xmlns="urn:hnet:1"${by}>${inner}${policy}</assignment></metadata></domain>`;
  });

const toml = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        'pools',
        'uplink',
        'host',
        'gateway',
        '[dhcp]\nscopes',
        'dns',
        'lease',
        '[firewall]\nbackend',
        'x',
      ),
      hostile,
    ),
    { maxLength: 6 },
  )
  .map(lines =>
    lines
      .map(([key, value]) => `${key} = ${value.length % 3 === 0 ? value : JSON.stringify(value)}`)
      .join('\n'),
  );

/** What a command of a plan may be made of: nothing of these characters leads out of its word. */
const SAFE = /^[A-Za-z0-9 ./:,_@{}"=<>'\n*!#%[\]$()>-]*$/;

describe('hostile input', () => {
  it(`${XMLS.toLocaleString('en')} documents that are like a domain's are read or refused, and nothing else`, () => {
    fc.assert(
      fc.property(xml, text => readOrRefuse(() => parseDomain(text))),
      { numRuns: XMLS },
    );
  }).timeout(LIMIT);

  it(`${ASSIGNMENTS.toLocaleString('en')} assignments make no command with a word that was not examined`, () => {
    let planned = 0;
    fc.assert(
      fc.property(domain, text => {
        readRunning([text]);
        readOrRefuse(() => {
          const { intent, uuid } = parseDomain(text);
          if (intent.kind !== 'assigned') return;
          planned += 1;
          const { addresses, policy } = intent.assignment;
          for (const firewall of [iptables([4, 6]), nftables([4, 6])]) {
            const plan = domainPlan({ domain: uuid, addresses, policy }, DHCP, firewall);
            for (const resource of plan)
              for (const action of [...resource.up(EMPTY_VIEW), ...resource.down(EMPTY_VIEW)])
                examine(action);
          }
        });
      }),
      { numRuns: ASSIGNMENTS },
    );
    // Were everything refused, nothing would have been shown.
    expect(planned).to.be.greaterThan(ASSIGNMENTS / 20);
  }).timeout(LIMIT);

  it(`${CONFIGS.toLocaleString('en')} configurations are read or refused, in one line`, () => {
    fc.assert(
      fc.property(toml, text => readOrRefuse(() => parseConfig(text))),
      { numRuns: CONFIGS },
    );
  }).timeout(LIMIT);
});

const { dhcp: DHCP } = parseConfig('pools = []');

function readOrRefuse(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

/** What no command may hold, whatever the input: chai would take minutes for so many. */
const HARM = /\$\(id\)|`|; rm|\| sh|\.\.|link del eth0|%s/;

function examine(action: Parameters<typeof describeAction>[0]): void {
  // An ampersand at the end is ours: nobody waits for that command.
  const text = describeAction(action).replace(/ &$/, '');
  const words = action.kind === 'line' ? action.words : [];
  if (!SAFE.test(text) || HARM.test(text) || words.some(word => /[\n;`]/.test(word)))
    throw new Error(`a command that holds what nobody examined: ${text}`);
}
