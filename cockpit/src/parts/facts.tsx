import {
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
} from '@patternfly/react-core/dist/esm/components/DescriptionList/index.js';
import type { ReactNode } from 'react';

export type Fact = readonly [term: string, value: ReactNode];

/** What is known of something; what isn't is left out. */
export function Facts({ facts }: { readonly facts: readonly (Fact | false | undefined)[] }) {
  return (
    <DescriptionList isHorizontal isCompact>
      {facts.flatMap(fact => {
        if (!fact) return [];
        const [term, value] = fact;
        return [
          <DescriptionListGroup key={term}>
            <DescriptionListTerm>{term}</DescriptionListTerm>
            <DescriptionListDescription>{value}</DescriptionListDescription>
          </DescriptionListGroup>,
        ];
      })}
    </DescriptionList>
  );
}
