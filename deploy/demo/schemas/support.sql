CREATE TYPE ticket_state AS ENUM ('open', 'waiting', 'closed');
CREATE TABLE tickets (
    id       bigserial PRIMARY KEY,
    user_id  integer NOT NULL,
    state    ticket_state NOT NULL DEFAULT 'open',
    priority bigint NOT NULL DEFAULT 0,
    subject  text NOT NULL DEFAULT ''
);
INSERT INTO tickets (user_id, state, priority, subject)
SELECT 1 + n % :rows, 'closed', n % 1000, 'Ticket ' || n FROM generate_series(1, :rows / 4) n;
CREATE INDEX tickets_user_id_idx ON tickets (user_id);
CREATE TABLE ticket_comments (
    id        bigserial PRIMARY KEY,
    ticket_id bigint NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
    body      text NOT NULL
);
INSERT INTO ticket_comments (ticket_id, body) SELECT n, 'Thanks' FROM generate_series(1, :rows / 20) n;
CREATE VIEW open_tickets AS SELECT id, user_id, subject FROM tickets WHERE state <> 'closed';
