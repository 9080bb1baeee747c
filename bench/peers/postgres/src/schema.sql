-- The tables a transfer of Haven touches, and the transfer itself: one call, one transaction.
-- Nothing is left out that Haven does: the receipt that makes it exactly-once, the cause, the
-- entry found by either account, and both balances, locked in the order of their numbers.

CREATE TABLE account (
    account_id bigint PRIMARY KEY,
    copper bigint NOT NULL CHECK (copper >= 0)
);

CREATE TABLE cause (
    cause_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    account_id bigint NOT NULL,
    kind smallint NOT NULL
);

CREATE TABLE entry (
    cause_id bigint NOT NULL,
    number smallint NOT NULL,
    from_account_id bigint NOT NULL,
    to_account_id bigint NOT NULL,
    copper bigint NOT NULL,
    PRIMARY KEY (cause_id, number)
);
CREATE INDEX ON entry (from_account_id, cause_id);
CREATE INDEX ON entry (to_account_id, cause_id);

CREATE TABLE receipt (
    account_id bigint NOT NULL,
    session bigint NOT NULL,
    slot smallint NOT NULL,
    sequence bigint NOT NULL,
    PRIMARY KEY (account_id, session, slot)
);

CREATE FUNCTION transfer(
    payer bigint, payee bigint, amount bigint, client_session bigint, client_sequence bigint
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    new_cause bigint;
    done bigint;
BEGIN
    SELECT sequence INTO done FROM receipt
        WHERE account_id = payer AND session = client_session AND slot = client_sequence % 64;
    IF done = client_sequence THEN
        RETURN;
    END IF;
    PERFORM 1 FROM account WHERE account_id IN (payer, payee) ORDER BY account_id FOR UPDATE;
    UPDATE account SET copper = copper - amount WHERE account_id = payer;
    UPDATE account SET copper = copper + amount WHERE account_id = payee;
    INSERT INTO cause (account_id, kind) VALUES (payer, 204) RETURNING cause_id INTO new_cause;
    INSERT INTO entry VALUES (new_cause, 0, payer, payee, amount);
    INSERT INTO receipt VALUES (payer, client_session, client_sequence % 64, client_sequence)
        ON CONFLICT (account_id, session, slot) DO UPDATE SET sequence = EXCLUDED.sequence;
END $$;
