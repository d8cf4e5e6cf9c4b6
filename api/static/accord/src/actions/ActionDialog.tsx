import { type ReactNode, useState } from "react";
import { Button, Dialog, DialogTrigger, Heading, Modal, ModalOverlay } from "react-aria-components";
import { type Outcome, isDone } from "./act";
import { Problems } from "./Problems";

/** A button that opens a dialog, which carries out one action and stays open with what the server refused. */
export function ActionDialog({
  label,
  look = "plain",
  title,
  confirm,
  isReady = true,
  onOpen,
  run,
  onDone,
  children,
}: {
  label: string;
  look?: "primary" | "plain" | "danger";
  title: string;
  confirm: string;
  isReady?: boolean;
  onOpen?: () => void;
  run: () => Promise<Outcome>;
  onDone: (outcome: Outcome) => void;
  children: ReactNode;
}) {
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [isBusy, setBusy] = useState(false);
  const carryOut = async (close: () => void) => {
    if (isBusy) {
      return;
    }
    setBusy(true);
    const found = await run();
    setBusy(false);
    setOutcome(found);
    if (isDone(found)) {
      close();
      onDone(found);
    }
  };
  return (
    <DialogTrigger
      onOpenChange={(isOpen) => {
        setOutcome(null);
        if (isOpen) {
          onOpen?.();
        }
      }}
    >
      <Button className={`button button-${look}`}>{label}</Button>
      <ModalOverlay className="overlay" isDismissable={!isBusy}>
        <Modal className="modal">
          <Dialog className="dialog">
            {({ close }) => (
              <form
                onSubmit={(event) => {
                  event.preventDefault();
                  void carryOut(close);
                }}
              >
                <Heading slot="title">{title}</Heading>
                {children}
                <Problems outcome={outcome} />
                <div className="buttons">
                  <Button
                    type="submit"
                    className={`button button-${look === "danger" ? "danger" : "primary"}`}
                    isDisabled={!isReady}
                  >
                    {isBusy ? "One moment…" : confirm}
                  </Button>
                  <Button className="button button-plain" onPress={close} isDisabled={isBusy}>
                    Cancel
                  </Button>
                </div>
              </form>
            )}
          </Dialog>
        </Modal>
      </ModalOverlay>
    </DialogTrigger>
  );
}
