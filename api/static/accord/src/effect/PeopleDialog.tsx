import { useEffect, useState } from "react";
import { Button, Dialog, DialogTrigger, Heading, Modal, ModalOverlay } from "react-aria-components";
import type { CombinedError } from "urql";
import { client } from "../client";
import { ChangedPeopleDocument, type PersonChange } from "../generated/graphql";
import { Failure, Loading } from "../ui/Notice";
import { minute, whole } from "../ui/words";
import type { ChangedPerson, Requested, StageEffect } from "./types";

const WORDS: Record<PersonChange, string> = { GAINED: "gained", LOST: "lost", MOVED: "at another time" };

/** A button with a number of people, which opens their list. */
export function PeopleDialog({
  stage,
  change,
  count,
  requested,
}: {
  stage: StageEffect;
  change: PersonChange;
  count: number;
  requested: Requested;
}) {
  if (count === 0) {
    return null;
  }
  return (
    <DialogTrigger>
      <Button className={`button button-${change.toLowerCase()}`}>
        {whole(count)} {WORDS[change]}
        <span className="spoken"> in {stage.title}: show the people</span>
      </Button>
      <ModalOverlay className="overlay" isDismissable>
        <Modal className="modal modal-wide">
          <Dialog className="dialog">
            {({ close }) => (
              <>
                <Heading slot="title">
                  {stage.title}: {whole(count)} {WORDS[change]}
                </Heading>
                <People stage={stage.key} change={change} requested={requested} />
                <div className="buttons">
                  <Button className="button button-plain" onPress={close}>
                    Close
                  </Button>
                </div>
              </>
            )}
          </Dialog>
        </Modal>
      </ModalOverlay>
    </DialogTrigger>
  );
}

interface Read {
  people: readonly ChangedPerson[];
  next: string | null;
  timeZone: string;
}

function People({ stage, change, requested }: { stage: string; change: PersonChange; requested: Requested }) {
  const [read, setRead] = useState<Read>({ people: [], next: null, timeZone: "UTC" });
  const [error, setError] = useState<CombinedError | undefined>();
  const [isBusy, setBusy] = useState(true);
  const load = async (after: string | null) => {
    setBusy(true);
    const found = await client.query(ChangedPeopleDocument, { ...requested, stage, change, after }).toPromise();
    const preview = found.data?.accordPreview;
    const page = preview?.stages[0]?.people;
    setBusy(false);
    setError(found.error);
    if (preview && page) {
      setRead((before) => ({
        people: after === null ? page.edges : [...before.people, ...page.edges],
        next: page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null,
        timeZone: preview.period.timezone,
      }));
    }
  };
  // The dialog shows another component for another stage, so that this runs once.
  useEffect(() => {
    void load(null);
  }, []);
  return (
    <>
      <ul className="people">
        {read.people.map((person) => (
          <li key={person.cursor}>
            <Person person={person} timeZone={read.timeZone} />
          </li>
        ))}
      </ul>
      {error && <Failure error={error} />}
      {isBusy && <Loading what="people" />}
      {read.next !== null && !isBusy && (
        <Button className="button button-plain" onPress={() => void load(read.next)}>
          Show more
        </Button>
      )}
    </>
  );
}

/** A person with the reason, and both instants in the time zone that the reason is in. */
function Person({ person, timeZone }: { person: ChangedPerson; timeZone: string }) {
  const { node } = person;
  const name = [node?.firstName, node?.lastName].filter(Boolean).join(" ") || "A person whose name you may not see";
  const around = [node?.company?.name, node?.owner && `owner ${node.owner.name}`].filter(Boolean).join(" · ");
  return (
    <>
      <p className="person-name">
        <strong>{name}</strong> {around && <span className="person-around">{around}</span>}
      </p>
      {person.reason && <p className="person-reason">{person.reason}</p>}
      <p className="person-when">
        Before: {person.instantBefore ? minute(person.instantBefore, timeZone) : "never"}. After:{" "}
        {person.instantAfter ? minute(person.instantAfter, timeZone) : "never"} ({timeZone}).
      </p>
    </>
  );
}
