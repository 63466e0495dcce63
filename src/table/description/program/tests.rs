use super::super::launcher::LAUNCHERS;
use super::*;
use crate::model::testing::process;
use std::collections::BTreeSet;

/// A command, and what the column WHAT says of a process with another name that runs it.
const CASES: &str = "\
/usr/bin/node --inspect=9229 -r dotenv/config server.js => server.js
node --env-file .env server.js => server.js
node /home/dev/code/shop/node_modules/.bin/next dev => next dev
node /home/dev/node_modules/vite/bin/vite.js --port 5173 => vite
node /app/node_modules/@angular/cli/bin/index.js serve => @angular/cli serve
node inspect server.js => server.js
node --run dev => dev
node -e code => node
nodejs app.js => app.js
deno run -A main.ts => main.ts
deno run --allow-net -c deno.json main.ts => main.ts
deno serve --port 8000 api.ts => api.ts
deno task dev => task dev
bun run dev => dev
bun --hot server.ts => server.ts
bun x vite => vite
tsx watch src/server.ts => server.ts
ts-node -P tsconfig.json src/app.ts => app.ts
nodemon --watch src server.js => server.js
electron . => electron .
python3 -m http.server 8000 => http.server 8000
python3 -Im http.server => http.server
/usr/bin/python3.11 manage.py runserver 0:8000 => manage.py runserver 0:8000
python3 -u -W ignore app.py => app.py
python3 -c import_socket => python3
python3 /venv/lib/debugpy/__main__.py => debugpy
python3 -m debugpy --listen 5678 app.py => app.py
coverage run --source shop app.py => app.py
pypy3 app.py => app.py
ruby3.1 -I lib bin/rails server => rails server
perl -MPOSIX -I lib app.pl daemon => app.pl daemon
perl -lane code => perl
php artisan serve --port=8000 => artisan serve
php -S localhost:8000 -t public => php -S localhost:8000
php8.2 -d a=b -S localhost:8000 router.php => -S localhost:8000 router.php
lua5.4 server.lua => server.lua
Rscript app.R => app.R
julia -t 4 server.jl => server.jl
java -Xmx1g -cp a:b -jar /opt/app.jar => app.jar
java --add-opens java.base/java.lang=ALL-UNNAMED -jar app.jar => app.jar
java -jar -XX:MaxRAM=128m app.jar => app.jar
java @/tmp/cp_argfile com.example.ShopApplication => com.example.ShopApplication
java --class-path libs com.example.Main => com.example.Main
java -p mods -m com.app/com.app.Main => com.app.Main
java org.codehaus.plexus.classworlds.launcher.Launcher spring-boot:run => mvn spring-boot:run
java -cp gradle-wrapper.jar org.gradle.wrapper.GradleWrapperMain bootRun => gradle bootRun
dotnet exec /app/Shop.dll => Shop.dll
dotnet /app/Shop.dll --urls http://localhost:5000 => Shop.dll
dotnet run --project src/Shop => Shop
dotnet watch --project src/Shop/Shop.csproj run => Shop
dotnet run -- x => dotnet run
mono /opt/shop.exe => shop
qemu-aarch64-static /usr/bin/node server.js => server.js
ld-linux-x86-64.so.2 --library-path lib /opt/serve 80 => serve 80
beam.smp -- -root /usr/lib/erlang -- -home /h -- -s elixir start_cli -- -extra /usr/bin/mix phx.server => mix phx.server
sh -c code => sh
bash -e script.sh start => script.sh start
node /usr/lib/node_modules/npm/bin/npm-cli.js run dev => npm run dev
npm --prefix web run dev -- --port 3000 => npm run dev
pnpm --filter shop dev => pnpm dev
node /usr/share/yarn/bin/yarn.js workspace shop dev => yarn workspace shop dev
npx -y vite --port 3000 => vite
uv run --with httpx uvicorn api:app => uvicorn api:app
poetry run python -m http.server => http.server
pipx run cowsay => cowsay
bundle exec rails server => rails server
go run ./cmd/api => api
go run . => go run .
cargo run --bin api -- --port 3000 => api
cargo run -- serve => cargo run
tini -- node server.js => server.js
/usr/bin/python3 /usr/bin/uvicorn --host 0.0.0.0 api:app => uvicorn api:app
gunicorn -w 4 -b :8000 api.wsgi => gunicorn api.wsgi
hypercorn --bind :8000 api:app => hypercorn api:app
daphne -p 8000 api.asgi:application => daphne api.asgi:application
waitress-serve --port 8000 api:app => waitress-serve api:app
flask --app shop run -p 5000 => flask --app shop run
celery -A shop worker => celery -A shop worker
uwsgi --ini shop.ini => uwsgi --ini shop.ini
streamlit run app.py => app.py
rackup -p 9292 config.ru => rackup config.ru
json-server --port 3000 db.json => json-server db.json
ssh -N -L 8080:localhost:80 dev@bastion => ssh -L 8080:localhost:80 dev@bastion
ssh -fNL8080:db:5432 -p 2222 bastion => ssh -L 8080:db:5432 bastion
ssh -NR 9000:localhost:3000 -D 1080 bastion uptime => ssh -R 9000:localhost:3000 -D 1080 bastion
kubectl -n shop port-forward --address 127.0.0.1 svc/web 8080:80 => kubectl port-forward svc/web 8080:80
docker-proxy -proto tcp -host-port 80 -container-ip 172.17.0.2 -container-port 8080 => docker-proxy -container-ip 172.17.0.2 -container-port 8080
socat -d -d TCP-LISTEN:8080,fork TCP:10.0.0.2:80 => socat TCP-LISTEN:8080,fork TCP:10.0.0.2:80
cloudflared tunnel --url http://localhost:3000 => cloudflared tunnel --url http://localhost:3000
ngrok http 3000 => ngrok http 3000
postgres -D /var/lib => postgres";

fn cases() -> impl Iterator<Item = (&'static str, &'static str)> {
    CASES
        .lines()
        .map(|line| line.split_once(" => ").expect("a case"))
}

#[test]
fn what_a_launcher_runs_is_named_behind_its_options() {
    for (command, expected) in cases() {
        let process = process(1, "other").command(command).build();
        assert_eq!(program(&process), expected, "{command}");
    }
}

#[test]
fn every_launcher_has_a_case() {
    let words: BTreeSet<_> = cases()
        .flat_map(|(command, _)| command.split(' '))
        .filter_map(|word| Launcher::named(file_name(word)))
        .map(Launcher::name)
        .collect();
    let all: BTreeSet<_> = LAUNCHERS.iter().map(Launcher::name).collect();
    assert_eq!(words, all);
}

#[test]
fn every_line_of_the_launchers_is_read() {
    let lines = include_str!("../../../../assets/launchers.tsv").lines();
    let lines = lines.filter(|line| !line.starts_with('#'));
    assert_eq!(lines.count(), LAUNCHERS.iter().count());
}

#[test]
fn the_name_in_the_column_process_is_not_repeated() {
    let cases = [
        (
            "gunicorn",
            "/usr/bin/python3 /usr/bin/gunicorn api.wsgi",
            "api.wsgi",
        ),
        (
            "ssh",
            "ssh -NL 8080:db:5432 bastion",
            "-L 8080:db:5432 bastion",
        ),
        ("npm", "node /usr/bin/npm run dev", "run dev"),
        ("node", "node", "node"),
    ];
    for (name, command, expected) in cases {
        let process = process(1, name).command(command).build();
        assert_eq!(program(&process), expected, "{command}");
    }
}

#[test]
fn an_interpreter_under_another_name_is_known_by_its_file() {
    let run_as = |first: &str, executable: &str| {
        let process = process(1, "app").with(|it| {
            it.executable = Some(executable.into());
            it.command = [first, "app.py", "8000"].map(Into::into).to_vec();
        });
        program(&process.build())
    };
    assert_eq!(run_as("worker", "/usr/bin/python3.11"), "app.py 8000");
    assert_eq!(run_as("", "/usr/bin/python3.11"), "app.py 8000");
    // The name of the program, which the column PROCESS has, stands for the empty argument.
    let nameless = process(1, "app").command(" -x").build();
    assert_eq!(program(&nameless), "app");
    // A link to the shell, as of busybox, is another program.
    assert_eq!(run_as("httpd", "/usr/bin/dash"), "httpd app.py 8000");
}

#[test]
fn a_title_is_shown_whole() {
    let shown = |title: &str, executable: &str| {
        let process = process(1, "app").with(|it| {
            it.executable = Some(executable.into());
            (it.command, it.is_titled) = (vec![title.into(), "-x".into()], true);
        });
        program(&process.build())
    };
    let titles = [
        "puma 6.4.0 (tcp://localhost:3000) [shop]",
        "postgres: 15/main: checkpointer",
        "nginx: master process /usr/sbin/nginx",
        "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups",
    ];
    for title in titles {
        assert_eq!(shown(title, "/usr/bin/app"), title);
    }
    let chromium = "/opt/chrome/chrome --type=utility";
    let program = shown(chromium, "/opt/chrome/chrome");
    assert_eq!(program, "chrome --type=utility");
    let secret = shown("app: --token abc", "/usr/bin/app");
    assert_eq!(secret, "app: --token •••");
}

#[test]
fn a_secret_behind_an_option_is_masked() {
    let cases = [
        (
            "kubectl --token abc port-forward svc/web 80 --password x",
            "kubectl port-forward svc/web 80",
        ),
        (
            "uwsgi --http redis://u:pw@h",
            "uwsgi --http redis://u:•••@h",
        ),
    ];
    for (command, expected) in cases {
        let process = process(1, "other").command(command).build();
        assert_eq!(program(&process), expected, "{command}");
    }
}
