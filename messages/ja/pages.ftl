# ページの文言。説明は英語のファイルにあります。丁寧で短く、責めない言い方で。

## すべてのページ

foot-home = あなたが許可しないかぎり、何もここには入れません。
languages-label = 言語
reference = お問い合わせの際は、この番号をお伝えください：

## サインイン

sign-in-title = サインイン
sign-in-to-connect = { $client } を { $plugin } に接続します。何を許可するかは次のページで決められます。
sign-in-plain = { $server } のアカウントでサインインします。
sign-in-refused = メールアドレスとパスワードが一致しません。もう一度お試しください。
sign-in-too-many = 試行回数が多すぎます。数分待ってから、もう一度お試しください。
sign-in-foot-for = パスワードはここから外に出ません。{ $client } には知らされません。
sign-in-foot = パスワードはここから外に出ません。接続したアプリには知らされません。
sign-in-do = サインイン
field-email = メールアドレス
field-password = パスワード

## サインアウト

signed-out-title = サインアウト完了
signed-out-heading = サインアウトしました
signed-out-lead = このブラウザーにはもうサインインしていません。このページは閉じてかまいません。
signed-out-apps = 許可したアプリは、許可を取り消すまで接続されたままです。
sign-out-do = サインアウト

## トップページ

home-title = ようこそ
home-heading = 誰を入れるかは、あなたが決めます
home-lead = ChatGPT などのアシスタントにサービスを使わせたいとき、アシスタントは { $server } に来ます。ここでサインインし、求められている内容を読んで、許可するかどうかを決めてください。
home-nobody = サインインしていません。アシスタントから始めるか、サインインして接続中のアプリを確認してください。
home-console = あなたが管理しているプラグイン
signed-in-as = サインイン中：

## 同意

consent-title = アクセスを許可しますか？
consent-heading = { $client } に { $plugin } の利用を許可しますか？
consent-from-owner = { $plugin } の運営者が設定したアプリです。
consent-from-host = { $host } が公開しているアプリです。
consent-calls-itself = このアプリは「{ $name }」と名乗っています。
consent-unproven = このアプリの名前はアプリ自身が付けたものです。作成者は誰も確認していません。
consent-another-account = 別のアカウントを使う
consent-can = 許可すると、{ $client } は次のことができます
consent-whole-plugin = あなたに代わって { $plugin } を利用する
consent-new = 新規
consent-withheld = 次の内容も求められましたが、{ $plugin } では許可できません:
consent-choice = 許可したくないものはチェックを外してください。
consent-nothing-ticked = 何も選択されていません。許可するものを選択するか、「許可しない」を選んでください。
consent-lasts = 接続は、取り消すまで最長 { $most } 日間続きます。{ $unused } 日間使われないと自動的に終了します。
consent-leads-to = このあとの移動先
consent-only-site = たった今 { $client } に接続を頼み、このアドレスから来た場合にだけ許可してください。
consent-only-program = このコンピューターのどのプログラムも { $client } と名乗ることができます。信頼できるプログラムから今ご自分で接続を始めた場合にだけ許可してください。
consent-only-app = この端末のどのアプリも { $client } と名乗ることができます。信頼できるアプリから今ご自分で接続を始めた場合にだけ許可してください。
take-care = ご注意：
consent-allow = 許可する
consent-deny = 許可しない
consent-take-back = いつでも取り消せます。このサイトの{ $apps }を開いてください。
consent-apps = 接続済みアプリ
consent-take-back-there = いつでも取り消せます。{ $client } で { $plugin } の接続を解除するか、下記のアドレスにご連絡ください。
consent-about = { $plugin } について
consent-address = アドレス
consent-contact = 連絡先
consent-legal = 法的情報
consent-foot = { $client } にパスワードが知らされることはありません。

## プラグインが公開されていないとき

closed-title = ご利用いただけません
closed-heading = { $plugin } はご利用いただけません
closed-lead = { $plugin } の運営者が、接続できる人を決めています。このアカウントは対象に含まれていないか、求められた内容とは別の内容だけが許可されています。何も接続されていません。
closed-unverified = このアカウントのメールアドレスはまだ確認されていません。アドレスによって許可されている場合は、先にアカウントで確認してから、もう一度やり直してください。
closed-ask = 接続できるはずだと思われる場合は、{ $email } までご連絡ください。
closed-leads-to = 戻る先
closed-back = { $client } に戻る

## 回答の送り先

place-program = このコンピューターのプログラム
place-app = この端末のアプリ
