/** Writes the uplink into the text of hnet.toml. */
import { parse, type TomlTable } from 'smol-toml';
import { exactJson } from './json.ts';
import { ifPossible, Refusal } from './refusal.ts';

/** What hnet init has left as an example. */
const EXAMPLE = /^#\s*uplink\s*=.*$/m;

/** A list where several interfaces share the default route. */
export const uplinkLine = (devices: readonly string[]): string =>
  `uplink = ${JSON.stringify(devices.length === 1 ? devices[0] : devices).replaceAll(',', ', ')}`;

/**
 * The text with `uplink = "DEVICE"`: in the place of a commented line if there is one, else before everything else, where
 * no table has begun. Every other line stays.
 * @throws Refusal if the result would say anything else too
 */
export function withUplink(text: string, devices: readonly string[]): string {
  const line = uplinkLine(devices);
  const others = ({ uplink: _, ...rest }: TomlTable): string => exactJson(rest);
  const before = others(parse(text));
  const found = [text.replace(EXAMPLE, () => line), `${line}\n${text}`].find(candidate => {
    const read = ifPossible(() => parse(candidate));
    return (
      read !== undefined &&
      exactJson([read['uplink']].flat()) === exactJson(devices) &&
      others(read) === before
    );
  });
  if (found !== undefined) return found;
  throw new Refusal(`Cannot add ${line} to hnet.toml: its text is not understood; add it yourself`);
}
