/**
 * Cockpit's own way to administrative access: what the button at the top of its shell does, by the bridge's interface
 * cockpit.Superuser (doc/protocol.md of Cockpit).
 */
import { cockpit } from './cockpit.ts';

/** What the bridge asks for, most often a password. */
export interface Question {
  readonly message: string;
  readonly prompt: string;
  /** Whether what is typed may be seen. */
  readonly isEchoed: boolean;
  /** Why the last answer wasn't taken. */
  readonly error: string;
}

interface Proxy {
  readonly valid: boolean;
  readonly Bridges?: readonly string[];
  readonly wait: () => PromiseLike<unknown>;
  readonly Start: (bridge: string) => PromiseLike<unknown>;
  readonly Answer: (text: string) => PromiseLike<unknown>;
  readonly Stop: () => PromiseLike<unknown>;
  readonly addEventListener: (
    event: 'Prompt',
    callback: (
      event: unknown,
      message: string,
      prompt: string,
      proposal: string,
      isEchoed: boolean,
      error: string,
    ) => void,
  ) => void;
}

/** An attempt to get administrative access. */
export interface Attempt {
  readonly answer: (text: string) => void;
  readonly cancel: () => void;
}

interface Outcomes {
  readonly ask: (question: Question) => void;
  /** Access is there: whoever waits for a permission hears of it too. */
  readonly done: () => void;
  readonly failed: (why: string) => void;
}

/** Begins to ask the bridge for administrative access. */
export function becomeAdministrator({ ask, done, failed }: Outcomes): Attempt {
  const bus = cockpit.dbus(null, { bus: 'internal' });
  const proxy = bus.proxy('cockpit.Superuser', '/superuser') as Proxy;
  // Stop takes away what was reached, too.
  let isPending = false;
  const fail = (problem: unknown): void => {
    isPending = false;
    failed(wordsOf(problem));
  };
  proxy.addEventListener('Prompt', (_, message, prompt, _proposal, isEchoed, error) =>
    ask({ message, prompt, isEchoed, error }),
  );
  proxy.wait().then(() => {
    const [bridge] = proxy.Bridges ?? [];
    if (!proxy.valid || bridge === undefined) failed('');
    else {
      isPending = true;
      proxy.Start(bridge).then(() => {
        isPending = false;
        done();
      }, fail);
    }
  }, fail);
  return {
    answer: text => void proxy.Answer(text).then(undefined, fail),
    cancel: () => {
      if (isPending) proxy.Stop().then(undefined, () => undefined);
      bus.close();
    },
  };
}

const wordsOf = (problem: unknown): string =>
  typeof problem === 'object' && problem !== null && 'message' in problem ? String(problem.message) : '';
