import { basename } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import { GUEST_FORMATS } from '../guest/formats.ts';
import { HOST_FORMATS } from '../guest/host-network.ts';
import type { Context } from '../host/context.ts';
import { printable, Refusal, reason, UsageRefusal, visible } from '../model/refusal.ts';
import { announce } from './commands/announce.ts';
import { assign } from './commands/assign.ts';
import { baseDown, baseUp } from './commands/base.ts';
import { check } from './commands/check.ts';
import { makeContext } from './commands/context.ts';
import { doctor } from './commands/doctor.ts';
import { firewall } from './commands/firewall.ts';
import { guest } from './commands/guest.ts';
import { hostConfig } from './commands/host-config.ts';
import { hosts } from './commands/hosts.ts';
import { move } from './commands/move.ts';
import { plan } from './commands/plan.ts';
import { pool } from './commands/pool.ts';
import { reach } from './commands/reach.ts';
import { scopes } from './commands/scopes.ts';
import { status } from './commands/status.ts';
import { sync } from './commands/sync.ts';
import { traffic } from './commands/traffic.ts';
import { unassign } from './commands/unassign.ts';
import { watch } from './commands/watch.ts';

/** Set by the bundler from package.json. */
declare const HNET_VERSION: string;

/** What a shell reports of a program that SIGPIPE ended. */
const SIGPIPE = 141;

/** Runs the command line of this process. `hnet-assign` is `hnet assign`. */
export function main([, program = '', ...argv]: readonly string[]): void {
  // The reader has gone (`| head`). That is no error: commands print when their work is done.
  process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code !== 'EPIPE') process.stderr.write(`hnet: Cannot write: ${message}\n`);
    process.exit(code === 'EPIPE' ? SIGPIPE : 1);
  });
  process.exitCode = run(basename(program).startsWith('hnet-assign') ? ['assign', ...argv] : argv);
}

/** @returns the exit code: 0 done, 1 it couldn't, 2 wrong usage */
function run(argv: readonly string[]): number {
  try {
    refuseWithoutRoot(argv);
    tree().parse(argv, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!isClear(error)) throw error;
    process.stderr.write(`hnet: ${visible(reason(error))}\n`);
    return error instanceof UsageRefusal ? 2 : 1;
  }
}

/** A refusal, or an error of the system (no space is left, say). Any other is a bug, and keeps its stack trace. */
const isClear = (error: unknown): boolean =>
  error instanceof Refusal || (error instanceof Error && 'syscall' in error);

const HARMLESS = ['--help', '-h', '--version', '-V', 'help'];

function refuseWithoutRoot(argv: readonly string[]): void {
  const isHarmless = argv.length === 0 || argv.some(word => HARMLESS.includes(word));
  if (!isHarmless && process.getuid?.() !== 0)
    throw new Refusal('Cannot change the network: hnet needs root; run it with sudo');
}

const DOMAIN = ['<domain>', 'name or UUID'] as const;
const ANY_DOMAIN = ['[domain]', 'name or UUID'] as const;

/** A part of the tree: it adds commands by name and description, each of which runs with a context of its own. */
type Branch = (command: (name: string, description: string) => Command, context: () => Context) => void;

function tree(): Command {
  const hnet = new Command('hnet')
    .description("Gives libvirt's virtual machines their own public addresses, by pure routing")
    .version(HNET_VERSION)
    .option('--trace', 'print every command as it runs')
    .showHelpAfterError('(hnet --help shows the commands)')
    .configureOutput({
      writeOut: text => void process.stdout.write(printable(text)),
      writeErr: text => void process.stderr.write(printable(text)),
    })
    .exitOverride();
  const command = (name: string, description: string) => hnet.command(name).description(description);
  for (const add of [assignments, views, filter, repair, guests, hosting, maintenance])
    add(command, () => makeContext(hnet.opts()));
  return hnet;
}

/** Which addresses a domain has. */
const assignments: Branch = (command, context) => {
  command(
    'assign',
    'give a domain addresses (the first free one by default) and put its interface on their bridge',
  )
    .argument(...DOMAIN)
    .argument('[address...]', 'addresses or subnets of the pools')
    .option('--nic <mac>', 'the interface to use, where the domain has several')
    .option('--no-nic', 'leave its interfaces alone')
    .option('--via <address>', 'its own address, by which it routes them on: it is a router for them')
    .option('--scope <cidr>', "the private subnet of its bridge, in place of one of hnet's choice")
    .option('--dhcp <mode>', 'what its DHCP server hands out: bootstrap, public, off, or default')
    .option('--boot <file>', "what its boot ROMs load: a file's name, a URL, or default")
    .action((domain, addresses, options) => assign(domain, addresses, options, context()));
  command('unassign', 'take addresses from a domain (all by default)')
    .argument(...DOMAIN)
    .argument('[address...]', 'the addresses to take')
    .action((domain, addresses) => unassign(domain, addresses, context()));
  command('move', 'hand an address from one domain to another, at once where they run')
    .argument('<address>', 'the address or subnet')
    .argument('<from>', 'name or UUID of the domain that has it')
    .argument('<to>', 'name or UUID of the domain that shall have it')
    .action((address, from, to) => move(address, from, to, context()));
};

/** The present state, and what a start would do. */
const views: Branch = (command, context) => {
  command('status', 'show domains, addresses, bridges, leases and health')
    .argument(...ANY_DOMAIN)
    .option('--json', 'for programs')
    .action((domain, options) => status(domain, options, context()));
  command('plan', 'print the commands that a start would run')
    .argument(...DOMAIN)
    .action(domain => plan(domain, context()));
  command('pool', 'show every address: free, assigned to whom, up or not')
    .option('--json', 'for programs')
    .action(options => pool(options, context()));
};

/** Rules, and the traffic that they counted. */
const filter: Branch = (command, context) => {
  command(
    'firewall',
    "show or change a domain's rules: default allow|deny, isolate on|off, delete N, or a rule",
  )
    .argument(...DOMAIN)
    .argument(
      '[words...]',
      'such as: allow tcp/22 from 203.0.113.0/24; deny udp/1024-2047; outbound deny tcp/25',
    )
    .option('--json', 'for programs')
    .action((domain, words, options) => firewall(domain, words, options, context()));
  command('traffic', 'show bytes and packets of every address, and what was dropped')
    .argument(...ANY_DOMAIN)
    .option('--json', 'for programs')
    .option('--prometheus', 'in the text exposition format')
    .action((domain, options) => traffic(domain, options, context()));
};

/** Finding drift and repairing it. */
const repair: Branch = (command, context) => {
  command('check', 'compare what should be with what is; exit code 1 if they differ')
    .argument(...ANY_DOMAIN)
    .option('--json', 'for programs')
    .action((domain, options) => check(domain, options, context()));
  command('sync', 'repair what is missing or changed, remove what belongs to nobody, and add up the traffic')
    .option('--dry-run', 'only say what would be repaired')
    // What a sync starts that may cut off whoever called it.
    .addOption(new Option('--end-trial').hideHelp())
    .action(options => sync(options, context()));
  command(
    'doctor',
    'examine whether this host is fit, or why a domain is not reachable; exit code 1 if something is found',
  )
    .argument(...ANY_DOMAIN)
    .option('--json', 'for programs')
    .action((domain, options) =>
      domain === undefined ? doctor(options, context()) : reach(domain, options, context()),
    );
  command('watch', 'repair as soon as something happens; the service hnet-watch runs it').action(() =>
    watch(context),
  );
};

/** Configuration of the system inside a domain. */
const guests: Branch = (command, context) => {
  command(
    'guest',
    "print the configuration of the domain's own system, or write it as a seed image for cloud-init",
  )
    .argument(...DOMAIN)
    .option('--format <format>', `${Object.keys(GUEST_FORMATS).join(', ')}, or all`)
    .option(
      '--interface <name>',
      "an interface's name inside, once for each in order (default: eth0, vtnet0, vio0)",
      (name: string, before: readonly string[] = []) => [...before, name],
    )
    .option('--seed <file>', 'write a NoCloud seed image there')
    .option('--ssh-key <file>', 'public keys for the seed')
    .option('--user-data <file>', 'user-data for the seed, as it is')
    .action((domain, options) => guest(domain, options, context()));
};

/** Configuration of the host, and of name servers. */
const hosting: Branch = (command, context) => {
  command('host', "print this host's own uplink as pure routing wants it")
    .option('--format <format>', Object.keys(HOST_FORMATS).join(', '))
    .option('--check', 'say where the running uplink differs (exit code 1)')
    .action(options => hostConfig(options, context()));
  command('hosts', 'print the names of all assignments as /etc/hosts has them')
    .option('--ptr', 'as PTR records for a reverse zone')
    .option('--domain <name>', "what follows a name without dots (default: hnet.toml's dhcp.domain)")
    .action(options => hosts(options, context()));
};

/** Commands for install.sh and the boot unit. */
const maintenance: Branch = (command, context) => {
  command('announce', 'tell the wire of an uplink that this host answers for addresses (a start does it)')
    .argument('<device>')
    .argument('<addresses...>')
    .action((device, addresses) => announce(device, addresses, context()));
  const base = command(
    'base',
    'what stands whether a domain runs or not (install.sh and the boot unit call it)',
  );
  base
    .command('up')
    .description('bring it up')
    .action(() => baseUp(context()));
  base
    .command('scopes')
    .description('print a private range that nothing on this host uses')
    .argument('[pool...]', 'ranges that it may not meet either')
    .action(pools => scopes(pools, context()));
  base
    .command('down')
    .description('remove it')
    .action(() => baseDown(context()));
};
