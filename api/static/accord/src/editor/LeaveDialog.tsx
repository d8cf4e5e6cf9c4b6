import { useEffect, useState } from "react";
import { Button, Dialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { guardView } from "../address";

/** While a text is not saved: asks before another view of this page is shown, or another page. */
export function LeaveDialog({ isUnsaved }: { isUnsaved: boolean }) {
  const [leave, setLeave] = useState<(() => void) | null>(null);
  useEffect(() => (isUnsaved ? guardView((onLeave) => setLeave(() => onLeave)) : undefined), [isUnsaved]);
  const stay = () => setLeave(null);
  return (
    <ModalOverlay className="overlay" isOpen={leave !== null} onOpenChange={stay} isDismissable>
      <Modal className="modal">
        <Dialog className="dialog" role="alertdialog">
          <Heading slot="title">Your text is not saved</Heading>
          <p>If you leave the editor now, what you wrote is lost.</p>
          <div className="buttons">
            <Button className="button button-primary" onPress={stay} autoFocus>
              Keep writing
            </Button>
            <Button className="button button-danger" onPress={() => leave?.()}>
              Leave without saving
            </Button>
          </div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
