create table orders (
    id bigint generated always as identity primary key,
    customer text not null,
    amount integer not null
);
create index on orders (customer);
