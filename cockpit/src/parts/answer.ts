import { useCallback, useEffect, useRef, useState } from 'react';
import type * as v from 'valibot';
import { reason } from '../../../src/model/refusal.ts';
import { ask } from '../door/hnet.ts';
import type { Argv } from '../model/commands.ts';

/** How a question to hnet stands. */
export type Answer<T> =
  | { readonly is: 'idle' }
  | { readonly is: 'busy' }
  | { readonly is: 'done'; readonly value: T }
  | { readonly is: 'failed'; readonly why: string };

interface Asked<T> {
  readonly answer: Answer<T>;
  /** Asks; an answer to an earlier question is dropped. @returns the answer; undefined where there is none */
  readonly put: (argv: Argv) => Promise<T | undefined>;
  readonly forget: () => void;
}

/** Asks hnet, and keeps the answer as long as the component lives. */
export function useAsk<T extends v.GenericSchema>(schema: T): Asked<v.InferOutput<T>> {
  const [answer, setAnswer] = useState<Answer<v.InferOutput<T>>>({ is: 'idle' });
  const turn = useRef(0);
  const put = useCallback(
    async (argv: Argv) => {
      const mine = ++turn.current;
      setAnswer({ is: 'busy' });
      try {
        const value = await ask(argv, schema);
        if (turn.current === mine) setAnswer({ is: 'done', value });
        return value;
      } catch (error) {
        if (turn.current === mine) setAnswer({ is: 'failed', why: reason(error) });
        return undefined;
      }
    },
    [schema],
  );
  const forget = useCallback(() => {
    turn.current++;
    setAnswer({ is: 'idle' });
  }, []);
  useEffect(() => forget, [forget]);
  return { answer, put, forget };
}

/** Asks at once, and again when the question, or what it is asked after, has changed. */
export function useAnswer<T extends v.GenericSchema>(
  argv: Argv,
  schema: T,
  after: unknown = undefined,
): Answer<v.InferOutput<T>> {
  const { answer, put } = useAsk(schema);
  const question = JSON.stringify([argv, after]);
  useEffect(() => {
    const [words] = JSON.parse(question) as [string[]];
    void put(words);
  }, [question, put]);
  return answer;
}
